import { fromBinary } from '@bufbuild/protobuf';
import { LimbeckError } from '../errors.ts';
import { locateDamage } from './locate-damage.ts';
import { type GraphProto, ModelProtoSchema, type NodeProto, type TensorProto } from './schema/onnx.gen.ts';

/** The key under which a tensor names the file that its data lie in, as ONNX has it. */
const LOCATION = 'location';
/** The number of `EXTERNAL` in TensorProto.DataLocation. */
const EXTERNAL = 1;
/** Graphs within graphs: deeper than any exporter nests them. */
const MAX_DEPTH = 64;

/**
 * The files beside a model that its tensors lie in, as the model names them: relative to its folder, and not to be trusted.
 * No tensor is read.
 *
 * @param bytes of the ONNX file
 * @throws LimbeckError `model.malformed`
 */
export function externalLocations(bytes: Uint8Array, title: string): string[] {
  const found = new Set<string>();
  const ofTensor = ({ dataLocation, externalData }: TensorProto) => {
    if (dataLocation !== EXTERNAL) return;
    for (const { key, value } of externalData) if (key === LOCATION) found.add(value);
  };
  const ofNodes = (nodes: readonly NodeProto[], depth: number) => {
    for (const { attribute } of nodes) {
      for (const { t, tensors, g, graphs } of attribute) {
        if (t) ofTensor(t);
        for (const tensor of tensors) ofTensor(tensor);
        if (depth < MAX_DEPTH) for (const graph of g ? [g, ...graphs] : graphs) ofGraph(graph, depth + 1);
      }
    }
  };
  const ofGraph = ({ initializer, sparseInitializer, node }: GraphProto, depth: number) => {
    for (const tensor of initializer) ofTensor(tensor);
    for (const { values, indices } of sparseInitializer)
      for (const tensor of [values, indices]) if (tensor) ofTensor(tensor);
    ofNodes(node, depth);
  };
  const model = parse(bytes, title);
  if (model.graph) ofGraph(model.graph, 0);
  for (const { node } of model.functions) ofNodes(node, 0);
  return [...found];
}

function parse(bytes: Uint8Array, title: string) {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw new LimbeckError('model.malformed', `not a whole ONNX file: ${locateDamage(bytes, cause)}`, {
      where: title,
      remedy: 'Fetch or export the model again.',
      cause,
    });
  }
}
