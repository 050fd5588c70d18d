import asyncio

from tracejury.graphs.turns import Turns


def test_the_steps_of_a_trace_begin_in_order_and_nothing_of_them_is_kept() -> None:
    turns, begun = Turns(), []

    async def step(index: int) -> None:
        await turns.wait("t", index)
        begun.append(index)
        await asyncio.sleep(0.01)
        turns.pass_on("t", index)
        turns.pass_on("t", index)

    async def trace() -> None:
        turns.open("t", [0, 2, 5])
        await asyncio.gather(*(step(index) for index in (5, 2, 0)))

    asyncio.run(asyncio.wait_for(trace(), 5))
    assert begun == [0, 2, 5]
    assert not any(vars(turns).values())


def test_a_step_whose_turn_has_passed_is_not_waited_for() -> None:
    turns = Turns()
    turns.open("t", [0, 1])
    turns.pass_on("t", 0)
    asyncio.run(asyncio.wait_for(turns.wait("t", 1), 1))
