import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { parseRecipe } from '../../src/recipe/parse.ts';
import type { Recipe } from '../../src/recipe/schema.ts';
import type { RunOptions } from '../../src/run/context/run-options.ts';

/** Timing is the longest part of a small run, and no test here is about its precision. */
const TIMING_SECONDS = 0.03;

/**
 * A recipe for seconds: four classes of glosses in `data.jsonl`, the real sentence encoder as the teacher, a tiny
 * student. `overrides` are `key.path=value`, as --set takes them.
 */
export function smallRecipeText(name = 'small'): string {
  return stringify({
    name,
    data: {
      source: { kind: 'jsonl', path: 'data.jsonl', idField: 'id' },
      splits: { validation: 120, test: 240 },
      labelsPerClass: 40,
      maxLength: 32,
      buckets: [16, 32],
    },
    teacher: { kind: 'use-lite', precision: 'f32', head: { epochs: 15 } },
    student: { kind: 'text-conv', embedding: 16, width: 32 },
    // The least that distils: looking into the teacher's layers as well takes longer.
    objective: { kd: { weight: 0.9, temperature: 2 }, labels: { weight: 0.1 } },
    training: { epochs: 4, batchSize: 32, optimizer: { kind: 'adamw', learningRate: 0.01 } },
    baseline: { epochs: 4 },
    // Four classes and 240 texts: a single text is 0.4 points.
    export: { int8: { maxDrop: 0.03 } },
    store: 'store',
  });
}

export function smallRecipe(overrides: readonly string[] = [], name?: string): Recipe {
  return parseRecipe(smallRecipeText(name), { overrides });
}

/** A new folder, and what a run in it needs. The recipe's paths are relative to the folder. */
export class RunPlace {
  readonly folder = mkdtempSync(join(tmpdir(), 'limbeck-run-'));

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** Options for a run in `runs/NAME` with the store of this folder. */
  options(run: string, more: Partial<RunOptions> = {}): RunOptions {
    return {
      out: this.path('runs', run),
      recipeFolder: this.folder,
      storeFolder: this.path('store'),
      timingSeconds: TIMING_SECONDS,
      ...more,
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
