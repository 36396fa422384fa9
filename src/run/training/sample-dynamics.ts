import { labelsOf } from '../../data/batch.ts';
import { LABELS } from '../../data/columns.ts';
import type { Split } from '../../data/split.ts';
import { LimbeckError } from '../../errors.ts';
import { tensor } from '../../onnx/tensor.ts';
import { existsSync } from '../../platform/files.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import {
  chosenSamples,
  type FollowedSample,
  type SampleDynamicsReport,
  sampleDynamicsSchema,
  summarizeDynamics,
} from '../../report/sample-dynamics.ts';
import { shownExample } from '../../report/shown-example.ts';
import type { Head } from '../../targets/head.ts';
import { encodeSafetensors } from '../../train/safetensors.ts';
import type { DynamicsTable } from '../../train/sample-dynamics.ts';
import { readKnowledge } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import { isTaughtAlone } from '../heads/taught-truth.ts';
import type { TeacherAnswers } from '../teaching/lessons.ts';

const FILE = 'dynamics.json';
/** All samples, by ordinal: for people who clean their data. */
const TABLE_FILE = 'dynamics.safetensors';
const EXAMPLES = 6;

/** Writes `dynamics.json` (the map, examples) and `dynamics.safetensors` (every sample) into the run's folder. */
export function writeDynamics(
  { folder, recipe }: Pick<RunContext, 'folder' | 'recipe'>,
  followed: {
    /** The output that they were followed by. */
    readonly head: Head;
    /** The samples that were followed, in one view each. */
    readonly split: Split;
    readonly table: DynamicsTable;
    /** What the teacher said of them, where there is one. */
    readonly answers?: Pick<TeacherAnswers, 'spaces'>;
    /** The same samples as the teacher was asked about them; the split itself when absent. */
    readonly asked?: Split;
  },
): void {
  const { split, table } = followed;
  const chosen = chosenSamples(table, recipe.report.examples ? EXAMPLES : 0);
  const examplesOf = (ordinals: readonly number[]) =>
    ordinals.flatMap((ordinal): FollowedSample[] => {
      const given = givenTo(ordinal, followed);
      if (!given) return [];
      return [
        {
          ...shownExample(split.example(ordinal)),
          ...given,
          confidence: inUnit(table.confidence[ordinal] as number),
          variability: inUnit(table.variability[ordinal] as number),
          ...(table.correctness && { correctness: inUnit(table.correctness[ordinal] as number) }),
        },
      ];
    });
  const report: SampleDynamicsReport = {
    ...summarizeDynamics(table),
    examples: {
      easy: examplesOf(chosen.easy),
      ambiguous: examplesOf(chosen.ambiguous),
      hard: examplesOf(chosen.hard),
    },
  };
  replaceFile(folder.file(FILE), `${JSON.stringify(report)}\n`, 'run');
  const dims = [table.seen.length];
  const tensors = new Map([
    ['confidence', tensor('float32', dims, table.confidence)],
    ['variability', tensor('float32', dims, table.variability)],
    ...(table.correctness ? [['correctness', tensor('float32', dims, table.correctness)] as const] : []),
    ['seen', tensor('int32', dims, table.seen)],
  ]);
  replaceFile(folder.file(TABLE_FILE), encodeSafetensors({ tensors, metadata: {} }), 'run');
}

/** What a run's folder says of its samples; undefined where they were not followed. */
export function readDynamics({ folder }: Pick<RunContext, 'folder'>): SampleDynamicsReport | undefined {
  const file = folder.file(FILE);
  if (!existsSync(file)) return undefined;
  try {
    return sampleDynamicsSchema.parse(JSON.parse(readRegularText(file)));
  } catch (cause) {
    throw new LimbeckError('run.damaged', `${FILE} is damaged`, {
      where: file,
      remedy: 'Run the same `limbeck distill` again: it writes the file from its checkpoints.',
      cause,
    });
  }
}

/** What a sample was followed by: its label or, without one, the teacher's answer; and the class, where that is one. */
function givenTo(
  ordinal: number,
  { split, asked = split, answers, head }: Parameters<typeof writeDynamics>[1],
): Pick<FollowedSample, 'label' | 'givenBy'> | undefined {
  const { buckets } = split;
  let index = ordinal;
  let bucket = 0;
  while (index >= (buckets[bucket] as { size: number }).size) {
    index -= (buckets[bucket] as { size: number }).size;
    bucket++;
  }
  if (head.target.kind !== 'class') return { givenBy: isTaughtAlone(head) ? 'teacher' : 'label' };
  const batch = asked.readBatch(bucket, [index], 1);
  const label = batch.columns[LABELS] ? (labelsOf(batch)[0] as number) : -1;
  if (label >= 0) return { label, givenBy: 'label' };
  const logits = answers?.spaces.get(head.output);
  if (!logits) return undefined;
  const said = readKnowledge(logits, batch).data as Float32Array;
  // The teacher may have left it without an answer.
  const answer = said.indexOf(Math.max(...said));
  return answer < 0 ? undefined : { label: answer, givenBy: 'teacher' };
}

/** Sums in float32 may end a little beyond 1. */
function inUnit(value: number): number {
  return Number(Math.min(1, Math.max(0, value)).toFixed(4));
}
