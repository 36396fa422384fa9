"""Writes src/onnx/schema/standard-operators.ts: which inputs and attributes each standard operator has, by opset.

python3 -m venv v && v/bin/pip install onnx==1.23.1 && v/bin/python scripts/standard-operators.py
"""

from collections import defaultdict
from pathlib import Path

import onnx.defs

OLDEST, NEWEST = 7, 24

schemas = defaultdict(list)
for schema in onnx.defs.get_all_schemas_with_history():
    if schema.domain == "" and schema.since_version <= NEWEST:
        schemas[schema.name].append(schema)


def form(schema):
    if schema.deprecated:
        return "-"
    most = schema.max_input if schema.max_input < 1000 else ""
    return f"{schema.min_input}..{most} {','.join(sorted(schema.attributes))}".strip()


lines = []
for name, versions in sorted(schemas.items()):
    forms = []
    for schema in sorted(versions, key=lambda one: one.since_version):
        said = form(schema)
        if forms and schema.since_version <= OLDEST:
            forms.clear()
        if not forms or forms[-1][1] != said:
            forms.append((schema.since_version, said))
    lines.append(f"{name} {'; '.join(f'{since} {said}' for since, said in forms)}")

source = f"""/**
 * Which inputs and attributes each standard operator has: `NAME SINCE LEAST..MOST ATTRIBUTES; SINCE ...`, from opset {OLDEST} to {NEWEST}; `-`
 * where it was taken out. Written by scripts/standard-operators.py out of the schemas of onnx 1.23.
 */
export const STANDARD_OPERATORS = `
{chr(10).join(lines)}
`;
"""
target = Path(__file__).parent.parent / "src/onnx/schema/standard-operators.ts"
target.write_text(source)
