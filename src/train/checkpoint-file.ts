import { crc32 } from '../crc32.ts';
import { type ErrorCode, LimbeckError } from '../errors.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { createSha256 } from '../platform/hash.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

/** All that a training run needs to go on from where it was. */
export interface Checkpoint {
  /** Steps done. */
  readonly step: number;
  /** Parameters, running statistics and optimizer state; the best parameters and statistics under `best/`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The rest of the loop's state, as JSON. */
  readonly progress: string;
}

/** Raised when older checkpoints cannot be read any more. */
const FORMAT = '2';

/** Which training a checkpoint belongs to, and what made it. */
export interface CheckpointOwner {
  /** What must be the same for the training to go on: the recipe, its seed, the data. Names are for people. */
  readonly identity: Readonly<Record<string, string>>;
  /** What should be the same for it to end in the same bits: engine, threads, versions. */
  readonly circumstances: Readonly<Record<string, string>>;
}

/** One tensor as the seal lists it. */
type TensorEntry = readonly [name: string, type: string, dims: readonly number[], crc32: number];

/** The parts of the metadata, all texts as safetensors wants them. */
const PARTS = ['format', 'step', 'identity', 'circumstances', 'progress', 'tensors'] as const;
type Metadata = Record<(typeof PARTS)[number] | 'seal', string>;

/** A checkpoint's file: the tensors, with a checksum of each, and a SHA-256 over everything else that it says. */
export function encodeCheckpoint(
  { step, tensors, progress }: Checkpoint,
  { identity, circumstances }: CheckpointOwner,
): Uint8Array[] {
  const parts = {
    format: FORMAT,
    step: `${step}`,
    identity: JSON.stringify(identity),
    circumstances: JSON.stringify(circumstances),
    progress,
    tensors: JSON.stringify([...tensors].map(entryOf)),
  };
  return encodeSafetensors({ tensors, metadata: { ...parts, seal: sealOf(parts) } });
}

/** What was read of a file, and the circumstances in which it was written. */
export interface ReadCheckpoint extends Checkpoint {
  readonly circumstances: Readonly<Record<string, string>>;
}

/**
 * Reads a checkpoint's file that is to be of a training and at a step.
 *
 * @throws LimbeckError `checkpoint.damaged` unless every byte that counts is as it was written, `checkpoint.format` for one
 * of another version of Limbeck, `checkpoint.other-training` for one of another recipe, seed or data, or of another step
 */
export function decodeCheckpoint(
  bytes: Uint8Array,
  { where, step, identity }: { where: string; step: number } & Pick<CheckpointOwner, 'identity'>,
): ReadCheckpoint {
  const refused = (code: ErrorCode, message: string) => new LimbeckError(code, message, { where });
  const { tensors, metadata } = decodeSafetensors(bytes, where);
  const parts = metadata as Partial<Metadata>;
  if (parts.format !== FORMAT) {
    throw refused(
      'checkpoint.format',
      'the checkpoint is not of the kind that this version of Limbeck writes',
    );
  }
  if (PARTS.some((part) => typeof parts[part] !== 'string') || parts.seal !== sealOf(parts as Metadata)) {
    throw refused('checkpoint.damaged', 'the checkpoint is damaged: its description was changed');
  }
  const sealed = parts as Metadata;
  // From here on the description is what was written; only what the tensors hold may still be damaged.
  const entries = new Map((JSON.parse(sealed.tensors) as TensorEntry[]).map((entry) => [entry[0], entry]));
  for (const name of new Set([...entries.keys(), ...tensors.keys()])) {
    const problem = problemOf(entries.get(name), tensors.get(name));
    if (problem)
      throw refused('checkpoint.damaged', `the checkpoint is damaged: its tensor ${name} ${problem}`);
  }
  const other = differences(identity, JSON.parse(sealed.identity));
  if (other.length > 0) {
    throw refused(
      'checkpoint.other-training',
      `the checkpoint belongs to another training: ${other.join(', ')}`,
    );
  }
  if (sealed.step !== `${step}`) {
    throw refused(
      'checkpoint.other-training',
      `the checkpoint is of step ${sealed.step}, not of step ${step}`,
    );
  }
  return { step, tensors, progress: sealed.progress, circumstances: JSON.parse(sealed.circumstances) };
}

/** What differs between two records of texts: `seed (1, here 2)`; long hashes are named only. */
export function differences(
  here: Readonly<Record<string, string>>,
  there: Readonly<Record<string, string>>,
): string[] {
  const names = [...new Set([...Object.keys(here), ...Object.keys(there)])];
  const short = (value: string | undefined) => value ?? 'none';
  return names
    .filter((name) => here[name] !== there[name])
    .map((name) => {
      const isLong = Math.max(short(here[name]).length, short(there[name]).length) > 60;
      return isLong ? `another ${name}` : `${name} ${short(there[name])} (here ${short(here[name])})`;
    });
}

function entryOf([name, tensor]: readonly [string, Tensor]): TensorEntry {
  return [name, tensor.type, tensor.dims, crc32(bytesOf(tensor))];
}

function problemOf(entry: TensorEntry | undefined, tensor: Tensor | undefined): string | undefined {
  if (!entry) return 'was added';
  if (!tensor) return 'is missing';
  const [, type, dims, checksum] = entry;
  if (tensor.type !== type || JSON.stringify(tensor.dims) !== JSON.stringify(dims))
    return 'has another shape';
  return crc32(bytesOf(tensor)) === checksum ? undefined : 'has another checksum';
}

function bytesOf({ data }: Tensor): Uint8Array {
  if (Array.isArray(data)) throw new Error('a checkpoint holds numbers only');
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Over all parts but itself; each with its length, so that nothing moves from one to the next. */
function sealOf(metadata: Readonly<Record<(typeof PARTS)[number], string>>): string {
  const hash = createSha256();
  for (const part of PARTS) hash.update(`${part} ${metadata[part].length}\n${metadata[part]}\n`);
  return hash.digest('hex');
}
