"""Compares the golden table of the S3 bindings with botocore's own model of S3.

    python botocore_oracle.py path/to/s3-api.json

For every implemented operation: method, URI with query, status, the location and name of each member, and the shape of
XML bodies (flattened lists, item names). Each deliberate difference is in differences.json with its reason; one that no
longer occurs is an error too.
"""

import fnmatch
import json
import pathlib
import sys

import botocore.session

CHECKSUMS = (
    "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128",
)
KINDS = {"integer": "number", "long": "number", "boolean": "boolean", "timestamp": "timestamp"}


def kind_of(shape):
    """The family of a scalar in botocore's model."""
    return KINDS.get(shape.type_name, "text")


def golden_kind(kind):
    """The family of a scalar in the golden table; None where the table does not say (derived, echoed)."""
    if kind in ("derived", "echo", "hook", "switch", "override", "location"):
        return None
    return KINDS.get(kind, "text")


def golden_members(members):
    """(location, name) -> kind, with checksums spelled out."""
    found = {}
    for member in members:
        name, kind = member["name"], member["kind"]
        location = member["location"]
        if kind == "checksum":
            for algorithm in CHECKSUMS:
                found[(location, name + algorithm.lower())] = "text"
        else:
            found[(location, name)] = golden_kind(kind)
    return found


def golden_elements(elements, prefix=""):
    """path -> kind; `x*` is a flattened list, `x>y*` a list of y inside x."""
    found = {}
    for element in elements:
        name, kind = element["name"], element["kind"]
        if kind == "checksum":
            for algorithm in CHECKSUMS:
                found[f"{prefix}{name}{algorithm}"] = "text"
            continue
        if kind.startswith("list"):
            inner = element.get("item") if not element.get("elements") else None
            if element.get("flattened"):
                path = f"{prefix}{name}*"
                if inner:
                    found[f"{path}/{inner}"] = "text"
                    continue
            else:
                path = f"{prefix}{name}>{element['item']}*"
        else:
            path = prefix + name
        if element.get("elements"):
            found.update(golden_elements(element["elements"], path + "/"))
        else:
            found[path] = golden_kind(kind)
    return found


def model_elements(shape, prefix="", skip=(), seen=()):
    """The same of a structure in botocore's model."""
    found = {}
    for name, member in shape.members.items():
        if name in skip or member.serialization.get("location"):
            continue
        attribute = "@" if member.serialization.get("xmlAttribute") else ""
        path = prefix + attribute + member.serialization.get("name", name)
        found.update(model_member(member, path, seen))
    return found


def model_member(member, path, seen):
    if member.type_name == "list":
        item = member.member
        if member.serialization.get("flattened"):
            path += "*"
        else:
            path += ">" + item.serialization.get("name", "member") + "*"
        member = item
    if member.type_name == "structure":
        if member.name in seen:
            return {}
        inner = model_elements(member, path + "/", seen=(*seen, member.name))
        return inner or {path: "text"}
    return {path: kind_of(member)}


def model_members(shape):
    """(location, name) -> kind of members outside the body."""
    found = {}
    for name, member in (shape.members.items() if shape else ()):
        location = member.serialization.get("location")
        if not location or location == "statusCode":
            continue
        wire = member.serialization.get("name", name)
        if location in ("header", "headers"):
            wire = wire.lower()
        found[(location, wire)] = kind_of(member)
    return found


def model_body(shape):
    """(root or None, elements) of a body in XML; None without one."""
    if shape is None:
        return None
    payload = shape.serialization.get("payload")
    if payload:
        member = shape.members[payload]
        if member.type_name != "structure":
            return None
        return member.serialization.get("name", payload), model_elements(member)
    elements = model_elements(shape)
    return (None, elements) if elements else None


def differences(operation, row):
    """Every difference between the model of an operation and its row, as text."""
    http = operation.http
    uri = http["requestUri"]
    if http["method"] != row["method"]:
        yield f"method {http['method']} is {row['method']}"
    if normal(uri) != normal(row["uri"]):
        yield f"uri {uri} is {row['uri']}"
    status = http.get("responseCode", 200)
    if status != row["status"]:
        yield f"status {status} is {row['status']}"
    yield from members("request", model_members(operation.input_shape), golden_members(row["request"]))
    yield from members("response", model_members(operation.output_shape), golden_members(row["response"]))
    yield from bodies("request", model_body(operation.input_shape), row.get("request_xml"))
    yield from bodies("response", model_body(operation.output_shape), row.get("response_xml"))


def normal(uri):
    path, _, query = uri.partition("?")
    keys = sorted(key for key in query.split("&") if key and not key.startswith("x-id="))
    return path.rstrip("/") or "/", keys


def members(side, model, golden):
    for location, name in sorted(model.keys() - golden.keys()):
        yield f"{side} {location} {name} is missing"
    for location, name in sorted(golden.keys() - model.keys()):
        yield f"{side} {location} {name} is extra"
    for key in sorted(model.keys() & golden.keys()):
        if golden[key] is not None and golden[key] != model[key]:
            yield f"{side} {' '.join(key)} is {golden[key]} instead of {model[key]}"


def bodies(side, model, golden):
    if model is None and golden is None:
        return
    root, elements = model or (None, {})
    found = golden_elements(golden["elements"]) if golden else {}
    if root and golden and root != golden["root"]:
        yield f"{side} root {root} is {golden['root']}"
    # A hook reads or writes the element whole.
    hooked = tuple(element["name"] for element in (golden or {}).get("elements", ()) if element["kind"] == "hook")
    whole = lambda path: path.rstrip("*").split("*/")[0].split("/")[0].split(">")[0] in hooked
    for path in sorted(path for path in elements.keys() - found.keys() if not whole(path)):
        yield f"{side} element {path} is missing"
    for path in sorted(path for path in found.keys() - elements.keys() if not whole(path)):
        yield f"{side} element {path} is extra"
    for path in sorted(elements.keys() & found.keys()):
        if found[path] is not None and found[path] != elements[path]:
            yield f"{side} element {path} is {found[path]} instead of {elements[path]}"


def reason(table, operation, difference, used):
    """Why a difference is meant; None if it is not."""
    for scope in (operation, "*"):
        for pattern in table.get(scope, {}):
            if fnmatch.fnmatchcase(difference, pattern):
                used.add((scope, pattern))
                return table[scope][pattern]
    return None


def taken_by_all(golden):
    """Request headers that every operation takes: what an operation does with them is not in its row."""
    ambient = [name for name in golden["ambient_headers"] if not name.endswith("*")]
    accepted = [entry["header"] for entry in golden["accepted_headers"]]
    return {f"request header {name} is missing" for name in ambient + accepted}


def main(golden_path):
    golden = json.loads(pathlib.Path(golden_path).read_text())
    rows, ambient = golden["operations"], taken_by_all(golden)
    table = json.loads(pathlib.Path(__file__).with_name("differences.json").read_text())
    model = botocore.session.get_session().get_service_model("s3")
    used, faults = set(), []
    for row in rows:
        name = row["operation"]
        if name not in model.operation_names:
            if reason(table, name, "not in the model", used) is None:
                faults.append(f"{name}: not an operation of S3")
            continue
        for difference in differences(model.operation_model(name), row):
            if difference not in ambient and reason(table, name, difference, used) is None:
                faults.append(f"{name}: {difference}")
    for scope, entries in table.items():
        faults += [f"differences.json: {scope}: {pattern}: no longer occurs" for pattern in entries if (scope, pattern) not in used]
    print("\n".join(faults) or f"{len(rows)} operations agree with botocore's model, {len(used)} deliberate differences")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
