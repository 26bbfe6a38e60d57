"""Extracts what has a meaning in S3 from botocore's model, into `s3-adapter/generator/s3-model.json`.

    python s3_model.py path/to/s3-model.json            writes it
    python s3_model.py --check path/to/s3-model.json    fails where it differs from the installed botocore

For each operation: method, URI, headers with the values of enumerated ones, query parameters and the elements of the XML
body. The generator reads the
file: what stands in it and is not bound is refused, everything else that a client sends is ignored.
"""

import json
import pathlib
import sys

import botocore
import botocore.session

# The SDKs append it to say which operation they mean; S3 does not read it.
NOT_READ = {"x-id"}


def elements(shape, seen=()):
    """The names of all elements that an XML body may have."""
    found = set()
    if shape.type_name == "list":
        member = shape.member
        if not shape.serialization.get("flattened"):
            found.add(member.serialization.get("name", "member"))
        return found | elements(member, seen)
    if shape.type_name != "structure" or shape.name in seen:
        return found
    for name, member in shape.members.items():
        if member.serialization.get("location") is None:
            if not member.serialization.get("xmlAttribute"):
                found.add(member.serialization.get("name", name))
            found |= elements(member, (*seen, shape.name))
    return found


def body(shape):
    """The names of the elements of a request's XML body."""
    payload = shape.serialization.get("payload")
    if payload is not None:
        member = shape.members[payload]
        return elements(member) if member.type_name == "structure" else set()
    return elements(shape)


def row(operation):
    path, _, query = operation.http["requestUri"].partition("?")
    keys = [key for key in query.split("&") if key and key.split("=")[0] not in NOT_READ]
    headers, parameters, names = {}, set(), set()
    if operation.input_shape is not None:
        for member in operation.input_shape.members.values():
            location, name = (member.serialization.get(key, "") for key in ("location", "name"))
            if location == "header":
                headers[name.lower()] = sorted(getattr(member, "enum", None) or [])
            elif location == "headers":
                headers[f"{name.lower()}*"] = []
            elif location == "querystring":
                parameters.add(name)
        names = body(operation.input_shape)
    return {
        "method": operation.http["method"],
        "uri": path if not keys else f"{path}?{'&'.join(keys)}",
        "headers": dict(sorted(headers.items())),
        "parameters": sorted(parameters),
        "elements": sorted(names),
    }


def model():
    service = botocore.session.get_session().get_service_model("s3")
    rows = {name: row(service.operation_model(name)) for name in sorted(service.operation_names)}
    source = f"botocore {botocore.__version__}, S3 {service.api_version}"
    return json.dumps({"source": source, "operations": rows}, indent=1) + "\n"


def main():
    check = sys.argv[1:2] == ["--check"]
    path = pathlib.Path(sys.argv[2 if check else 1])
    if not check:
        path.write_text(model(), encoding="utf-8")
    elif path.read_text(encoding="utf-8") != model():
        sys.exit(f"{path} differs from botocore {botocore.__version__}'s model: regenerate it and review the difference")


main()
