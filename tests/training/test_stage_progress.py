"""One line says which stage an experiment is in, how far it has come and how long it will take."""

from tracejury.training import StageProgress


def test_a_stage_has_its_pace_from_where_it_was_resumed() -> None:
    now = [100.0]
    progress = StageProgress(clock=lambda: now[0])
    assert str(progress) == "reading recipes, panel and questions"
    progress.begin("train", 4, 8)
    assert str(progress) == "(4 of 8) train: beginning"
    progress.training_step(40, 104, {"loss": 0.5})
    assert str(progress) == "(4 of 8) train: 40 of 104, loss 0.500"
    now[0] += 30
    progress.training_step(44, 104, {"loss": 0.25})
    assert str(progress) == "(4 of 8) train: 44 of 104, ETA 00:07:30, loss 0.250"
    progress.begin("sample base", 5, 8)
    assert str(progress) == "(5 of 8) sample base: beginning"
