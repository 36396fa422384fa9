import { toBinary } from '@bufbuild/protobuf';
import { realpathSync } from '../../platform/files.ts';
import { basename, dirname, join, resolve } from '../../platform/paths.ts';
import { encodeExternalTensor, encodeTensor, tensorPieces } from '../encode-tensor.ts';
import type { Graph } from '../graph.ts';
import { ModelProtoSchema } from '../schema/onnx.gen.ts';
import { isStored, rangeOf, tensorByteLength } from '../stored-tensor.ts';
import type { Tensor } from '../tensor.ts';
import { modelProto } from '../write-model.ts';
import { replaceFiles } from './replace-files.ts';

/** Copied tensors begin at multiples of this many bytes, as in `writeModelWithExternalData`. */
const ALIGNMENT = 64;

/**
 * Writes a model whose weights stay where they are: the file refers to ranges of other files in its folder, of whatever kind
 * they are, and an engine maps them. Weights that lie in another folder, or are computed when they are read, are copied to
 * `<path>_data`, one after another.
 *
 * @returns the files that were written
 * @throws LimbeckError `model.disk-full`, `model.write`
 */
export function writeReferringFile(path: string, graph: Graph): string[] {
  const folder = realpathSync(dirname(resolve(path)));
  const copies: Tensor[] = [];
  let end = 0;
  const proto = modelProto(graph, {}, (name, tensor) => {
    if (!isStored(tensor)) return encodeTensor(name, tensor);
    const range = rangeOf(tensor);
    if (range && dirname(range.path) === folder)
      return encodeExternalTensor(name, tensor, basename(range.path), range.offset);
    copies.push(tensor);
    const offset = end;
    end += padded(tensorByteLength(tensor));
    return encodeExternalTensor(name, tensor, `${basename(path)}_data`, offset);
  });
  const data = join(dirname(path), `${basename(path)}_data`);
  const model = { path, pieces: [toBinary(ModelProtoSchema, proto)] };
  replaceFiles(copies.length > 0 ? [{ path: data, pieces: bytesOf(copies) }, model] : [model]);
  return copies.length > 0 ? [data, path] : [path];
}

function* bytesOf(tensors: readonly Tensor[]): Generator<Uint8Array> {
  for (const tensor of tensors) {
    yield* tensorPieces(tensor);
    const length = tensorByteLength(tensor);
    yield new Uint8Array(padded(length) - length);
  }
}

function padded(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}
