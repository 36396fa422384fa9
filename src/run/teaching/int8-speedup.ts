import { z } from 'zod';
import { canonicalJson } from '../../data/canonical-json.ts';
import { existsSync } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import type { Head } from '../../targets/head.ts';
import { teacherHash } from '../../teachers/onnx-teacher.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { machineTitle } from '../calibrating/machine-title.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { openLabeller, TEACHER_BATCH } from './ask-teacher.ts';

/** Calls of each form, by turns: so many at least, and more of a fast one, for about so long. */
const LEAST_TURNS = 3;
const MOST_TURNS = 25;
const SECONDS = 1;

const keptSpeedup = z.object({ machine: z.string(), speedup: z.number().positive() });

/**
 * How many times as fast as in float32 a teacher labels in int8 on this machine: batches of validation samples, by turns, medians. It is
 * kept beside the store, so that later runs with this teacher choose alike: answers in another precision would all have to be asked for anew.
 * Undefined where there are no validation samples.
 */
export async function int8Speedup(
  run: Pick<RunContext, 'engine' | 'store' | 'checkInterrupted'>,
  data: TaskData,
  files: { readonly file: string; readonly int8File: string },
): Promise<number | undefined> {
  const known = knownSpeedup(run, files);
  if (known !== undefined) return known;
  const speedup = await measured(run, data, files);
  if (speedup !== undefined) {
    const kept = { machine: machineTitle(run.engine), speedup };
    replaceFile(keptFile(run, files), `${JSON.stringify(kept, null, 2)}\n`, 'store');
  }
  return speedup;
}

/** The same, where an earlier run has measured it. */
export function knownSpeedup(
  run: Pick<RunContext, 'engine' | 'store'>,
  files: { readonly file: string; readonly int8File: string },
): number | undefined {
  return read(keptFile(run, files));
}

function keptFile(
  { engine, store }: Pick<RunContext, 'engine' | 'store'>,
  { file, int8File }: { readonly file: string; readonly int8File: string },
): string {
  const parts = { machine: machineTitle(engine), hashes: [teacherHash(file), teacherHash(int8File)] };
  const key = createSha256().update(canonicalJson(parts)).digest('hex').slice(0, 32);
  return join(store.folder, 'teachers', `${key}.speedup.json`);
}

async function measured(
  { engine, checkInterrupted }: Pick<RunContext, 'engine' | 'checkInterrupted'>,
  { dataset, heads, task }: TaskData,
  { file, int8File }: { readonly file: string; readonly int8File: string },
): Promise<number | undefined> {
  const batches = [];
  for (const batch of splitBatches(dataset.splits.validation, TEACHER_BATCH)) {
    batches.push(batch);
    if (batches.length === LEAST_TURNS) break;
  }
  const { output } = heads[0] as Head;
  const labellers = [];
  try {
    for (const model of [file, int8File]) labellers.push(await openLabeller({ engine }, task, model, model));
    const times: number[][] = [[], []];
    const began = performance.now();
    const isEnough = (turn: number) => turn > LEAST_TURNS && performance.now() - began > 2000 * SECONDS;
    // The first turn is not counted: caches are filled, and memory is taken.
    for (let turn = 0; batches.length > 0 && turn <= MOST_TURNS && !isEnough(turn); turn++) {
      checkInterrupted();
      const batch = batches[turn % batches.length] as (typeof batches)[number];
      for (const [i, labeller] of labellers.entries()) {
        const start = performance.now();
        await labeller.label(batch, [output]);
        if (turn > 0) times[i]?.push(performance.now() - start);
      }
    }
    const [float, int8] = times.map(median) as [number, number];
    return batches.length > 0 && int8 > 0 ? float / int8 : undefined;
  } finally {
    for (const labeller of labellers) await labeller.close();
  }
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
}

/** Damaged: it is measured anew. */
function read(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return keptSpeedup.parse(JSON.parse(readRegularText(file))).speedup;
  } catch {
    return undefined;
  }
}
