"""The judge `recorded`: opinions that were made elsewhere, found by public keys and checked like anybody's."""
