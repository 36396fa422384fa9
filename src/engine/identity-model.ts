const text = new TextEncoder();

/**
 * The smallest model there is: `y = Identity(x)`, float32 [1]. For asking a provider whether it starts at all.
 * Written out field by field (onnx.proto: ModelProto, GraphProto, NodeProto, ValueInfoProto).
 */
export function identityModel(): Uint8Array {
  const floatVector = message(1, [...varint(1, 1), ...message(2, message(1, varint(1, 1)))]);
  const valueInfo = (field: number, name: string) =>
    message(field, [...string(1, name), ...message(2, floatVector)]);
  const graph = [
    ...message(1, [...string(1, 'x'), ...string(2, 'y'), ...string(4, 'Identity')]),
    ...string(2, 'identity'),
    ...valueInfo(11, 'x'),
    ...valueInfo(12, 'y'),
  ];
  return Uint8Array.from([...varint(1, 8), ...message(7, graph), ...message(8, varint(2, 17))]);
}

/** A field with a small whole number. */
function varint(field: number, value: number): number[] {
  return [field << 3, value];
}

/** A field with bytes, fewer than 128 of them. */
function message(field: number, bytes: number[]): number[] {
  return [(field << 3) | 2, bytes.length, ...bytes];
}

function string(field: number, value: string): number[] {
  return message(field, [...text.encode(value)]);
}
