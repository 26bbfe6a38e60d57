"""The messages of the contract, version 1."""

from bucketry._gen.v1.admin_service_pb2 import *  # noqa: F403
from bucketry._gen.v1.bucket_pb2 import *  # noqa: F403
from bucketry._gen.v1.errors_pb2 import *  # noqa: F403
from bucketry._gen.v1.object_pb2 import *  # noqa: F403
from bucketry._gen.v1.object_service_pb2 import *  # noqa: F403
from bucketry._gen.v1.token_service_pb2 import *  # noqa: F403
