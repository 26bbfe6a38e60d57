"""boto3 against bucketry, with a key that may make buckets. Arguments: parts of names of the cases to run."""

import importlib
import sys

import harness

MODULES = (
    "buckets",
    "objects",
    "conditions",
    "copies",
    "keys",
    "listing",
    "multipart",
    "checksums",
    "presigned",
    "settings",
    "cors",
    "errors",
)

for module in MODULES:
    importlib.import_module(module)
sys.exit(harness.main(sys.argv[1:]))
