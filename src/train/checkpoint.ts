import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LimbeckError } from '../errors.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { replaceFile } from '../replace-file.ts';
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

/** How many checkpoints of a training stay, the newest ones: there is one to go on from when the last is damaged. */
export const CHECKPOINTS_KEPT = 2;
const FILE = /^step-(\d+)\.safetensors$/;

/**
 * The checkpoints of one training, as safetensors files in a folder. A file appears whole or not at all (written
 * beside, synced, renamed), and the last two are kept, so that there is always one to go on from.
 */
export class CheckpointFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws LimbeckError `checkpoint.disk-full` (or `checkpoint.write`); earlier checkpoints stay. */
  save({ step, tensors, progress }: Checkpoint): void {
    const path = join(this.#folder, `step-${step}.safetensors`);
    replaceFile(path, encodeSafetensors({ tensors, metadata: { step: `${step}`, progress } }), 'checkpoint');
    for (const old of this.#steps().slice(CHECKPOINTS_KEPT)) rmSync(this.#path(old), { force: true });
  }

  /** The newest checkpoint that can be read, or undefined. Damaged ones are told to `onDamaged` and passed over. */
  load(onDamaged: (error: LimbeckError) => void): Checkpoint | undefined {
    for (const step of this.#steps()) {
      try {
        const { tensors, metadata } = decodeSafetensors(readFileSync(this.#path(step)), this.#path(step));
        return { step, tensors, progress: metadata.progress ?? '{}' };
      } catch (error) {
        if (!(error instanceof LimbeckError)) throw error;
        onDamaged(error);
      }
    }
    return undefined;
  }

  #path(step: number): string {
    return join(this.#folder, `step-${step}.safetensors`);
  }

  /** The steps that have a file, newest first. */
  #steps(): number[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const steps = names.flatMap((name) => FILE.exec(name)?.[1] ?? []).map(Number);
    return steps.sort((a, b) => b - a);
  }
}
