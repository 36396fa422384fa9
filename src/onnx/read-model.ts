import { fromBinary } from '@bufbuild/protobuf';
import { LimbeckError } from '../errors.ts';
import type { ReadExternalData } from './decode-tensor.ts';
import type { Graph } from './graph.ts';
import { inlineFunctions } from './inline-functions.ts';
import { locateDamage } from './locate-damage.ts';
import { locating } from './located-error.ts';
import { normalDomain, readGraph } from './read-graph.ts';
import { type ModelProto, ModelProtoSchema } from './schema/onnx.gen.ts';

export interface ReadModelOptions {
  /** Reads tensor data that lies outside the model's file; without it such models are an error. */
  externalData?: ReadExternalData;
  /** What the bytes are called in errors, e.g. the file's path. */
  title?: string;
}

/**
 * Reads an ONNX file. The graph's nodes are put in order, names are unique, every value that is read is defined;
 * initializers that the file also lists as inputs are constants. Calls of the model's own functions are
 * replaced by what the functions do. Sizes without a name get one from their value
 * and axis (`input_ids.1`). Tensors own their memory: `bytes` can go.
 *
 * @throws LimbeckError with a `model.` code for everything that can be wrong with a file: cut short or not ONNX
 *   (`malformed`), cyclic, duplicate names, undefined values, missing opset, bad tensors, unsupported types.
 */
export function readModel(bytes: Uint8Array, options: ReadModelOptions = {}): Graph {
  const { title } = options;
  if (title === undefined) return decodeModel(parse(bytes), options);
  return locating(title, () => decodeModel(parse(bytes), options));
}

function parse(bytes: Uint8Array): ModelProto {
  if (bytes.byteLength === 0) throw malformed('it is empty');
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw malformed(locateDamage(bytes, cause), cause);
  }
}

function decodeModel(proto: ModelProto, options: ReadModelOptions): Graph {
  if (!proto.graph) throw malformed('no graph in it');
  const opsets = new Map<string, number>();
  for (const { domain, version } of proto.opsetImport) {
    const name = normalDomain(domain);
    if (version < 1n || version > 100_000n) throw malformed(`opset version ${version} of '${name}'`);
    if (opsets.has(name) && opsets.get(name) !== Number(version)) {
      throw malformed(`two versions of the operator set '${name}'`);
    }
    opsets.set(name, Number(version));
  }
  for (const { opsetImport } of proto.functions) {
    for (const { domain, version } of opsetImport) {
      const name = normalDomain(domain);
      if (!opsets.has(name)) opsets.set(name, Number(version));
    }
  }
  return readGraph(inlineFunctions(proto, proto.graph), {
    opsets,
    metadata: new Map(proto.metadataProps.map(({ key, value }) => [key, value])),
    readExternal: options.externalData,
    unnamedDims: new Set(),
  });
}

function malformed(message: string, cause?: unknown): LimbeckError {
  return new LimbeckError('model.malformed', `not a whole ONNX file: ${message}`, {
    remedy: 'Fetch or export the model again.',
    cause,
  });
}
