"""Generated from the contract by clients/generate. Not part of the interface."""
