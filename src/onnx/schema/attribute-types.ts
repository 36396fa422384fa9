import type { Attribute } from '../graph.ts';

/** AttributeProto.AttributeType numbers (ONNX IR specification) of the kinds that a graph holds. */
export const ATTRIBUTE_TYPE_CODES: Record<Attribute['kind'], number> = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  graphs: 10,
};

const KINDS_BY_CODE = new Map(
  Object.entries(ATTRIBUTE_TYPE_CODES).map(([kind, code]) => [code, kind as Attribute['kind']]),
);

/** The kind for an AttributeType number, or undefined for one that we do not hold (tensors, sparse tensors, types). */
export function attributeKindFromCode(code: number): Attribute['kind'] | undefined {
  return KINDS_BY_CODE.get(code);
}
