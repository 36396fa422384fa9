import { type Batch, columnOf } from '../../data/batch.ts';
import { ATTENTION_MASK, SEQUENCE } from '../../data/columns.ts';
import type { Split } from '../../data/split.ts';
import { LimbeckError } from '../../errors.ts';
import { tensor } from '../../onnx/tensor.ts';
import { percent } from '../../percent.ts';
import { askAll } from '../../teachers/ask-all.ts';
import { type ProbabilityForm, probabilityForm } from '../../teachers/class-logits.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import { LOGITS } from '../../teachers/teacher-source.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { openLabeller } from './ask-teacher.ts';
import { memoryBound } from './memory-bound.ts';

/** Samples that a teacher is looked at with; texts of each length that are asked about alone, which is slower. */
export const EXAMINED_SAMPLES = 64;
const TEXTS_ALONE = 8;
/** Differences of a probability below this are those of another order of sums. */
const SAME = 0.01;
/**
 * Teachers that are never sure (many classes, small scores) decide otherwise with smaller ones: there a difference counts
 * from this part of the distance between a sample's highest and lowest score, which rounding never reaches.
 */
const SAME_OF_RANGE = 0.05;
/** With more of the classes decided otherwise, answers are no answers. */
const MOST_OTHERWISE = 0.05;

/**
 * Looks at what a classifier answers to some samples before it labels: that it answers alike when it is asked again, that
 * a text's padding does not change its answer. Says what its outputs are where they are no scores, with a warning.
 *
 * @param file the classifier's model
 * @throws LimbeckError `teacher.random`, `teacher.padding` where answers depend on chance or padding so much that another
 *   class is decided for more than one sample in twenty
 */
export async function examineTeacher(
  run: RunContext,
  data: TaskData,
  file: string,
): Promise<ProbabilityForm | undefined> {
  const { validation, train } = data.dataset.splits;
  const split = validation.size > 0 ? validation : train;
  const bound = memoryBound(run, data, file);
  const teacher = await openLabeller(run, data.task, file, data.teacherTitle, { bound });
  try {
    const classes = Number(teacher.outputs[LOGITS]?.dims[0] ?? 0);
    const [again, alone] = [new Comparison(), new Comparison()];
    const batches = [...fromEveryBucket(split)];
    const singles = batches.flatMap((batch, at) => alonePerRow(batch).map((single) => ({ at, ...single })));
    // All at once: a teacher that runs in parts loads each of them once.
    const questions = [...batches, ...batches.slice(0, 1), ...singles.map(({ single }) => single)];
    const answers = await askEach(run, teacher, questions);
    const asked = answers.splice(batches.length);
    if (asked[0]) again.add(answers[0] as Float32Array, asked[0], classes);
    // What differs by chance differs alone, too.
    for (const [i, { at, row }] of again.differs ? [] : singles.entries()) {
      const padded = (answers[at] as Float32Array).subarray(row * classes, (row + 1) * classes);
      alone.add(padded, asked[i + 1] as Float32Array, classes);
    }
    again.tell(run, 'teacher.random', {
      problem: 'the teacher answers at random: asked again, it gives another answer',
      remedy: 'Export it in evaluation mode (model.eval() in PyTorch), without sampling inside.',
    });
    alone.tell(run, 'teacher.padding', {
      problem: "the teacher's answers depend on the padding of a text: alone, it gets another answer",
      remedy:
        'Export it so that it leaves padded tokens out by the attention_mask, or give data.buckets every length, so that nothing is padded.',
    });
    const form = probabilityForm(joined(answers), classes);
    if (form) run.warn(formInWords(form, "the teacher's"));
    return form;
  } finally {
    await teacher.close();
  }
}

/** What is made of outputs that are no scores. @param whose `the teacher's` */
export function formInWords(form: ProbabilityForm, whose: string): string {
  return form === 'softmax'
    ? `${whose} outputs are probabilities (they sum to 1): their logarithms are taken as its logits`
    : `${whose} outputs are all between 0 and 1, as sigmoids are: the logarithms of their odds are taken as its logits`;
}

/** Some samples of each length, short and long texts alike. */
export function* fromEveryBucket(split: Split): Generator<Batch> {
  const filled = split.buckets.flatMap(({ size }, bucket) => (size > 0 ? [{ size, bucket }] : []));
  const each = Math.ceil(EXAMINED_SAMPLES / Math.max(1, filled.length));
  for (const { size, bucket } of filled) {
    const count = Math.min(each, size);
    const indices = Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
    yield split.readBatch(bucket, indices, count);
  }
}

async function askEach(
  run: RunContext,
  teacher: Teacher,
  questions: readonly Batch[],
): Promise<Float32Array[]> {
  const answers: Float32Array[] = [];
  const { checkInterrupted } = run;
  for await (const [, { logits }] of askAll(teacher, questions, [LOGITS], { checkInterrupted })) {
    checkInterrupted();
    // A copy: what a session gives may be written over by its next run.
    answers.push(Float32Array.from(logits as Float32Array));
  }
  return answers;
}

/** Single texts of a batch without their padding, and the rows that they were. */
function alonePerRow(batch: Batch): { readonly row: number; readonly single: Batch }[] {
  const { filled, sizes, columns } = batch;
  if (!columns[ATTENTION_MASK]) return [];
  const found: { row: number; single: Batch }[] = [];
  const length = sizes[SEQUENCE] as number;
  const masks = columnOf(batch, ATTENTION_MASK).data as BigInt64Array;
  for (let row = 0; row < filled && found.length < TEXTS_ALONE; row++) {
    const mask = masks.subarray(row * length, (row + 1) * length);
    const [first, last] = [mask.indexOf(1n), mask.lastIndexOf(1n)];
    if (first < 0 || last + 1 - first === length) continue;
    const kept = last + 1 - first;
    const single: Batch = {
      rows: 1,
      filled: 1,
      keys: batch.keys.slice(0, batch.keys.length / Math.max(1, filled)),
      ordinals: batch.ordinals.slice(row, row + 1),
      sizes: { ...sizes, batch: 1, [SEQUENCE]: kept },
      columns: Object.fromEntries(
        Object.entries(columns).map(([name, { type, dims, data }]) => {
          const isOwn = dims.length === 2 && dims[1] === length;
          if (isOwn)
            return [name, tensor(type, [1, kept], data.slice(row * length + first, row * length + last + 1))];
          // What another of several teachers reads has other tokens.
          const width = data.length / batch.rows;
          return [name, tensor(type, [1, ...dims.slice(1)], data.slice(row * width, (row + 1) * width))];
        }),
      ),
    };
    found.push({ row, single });
  }
  return found;
}

/** How two sets of answers to the same samples differ. */
class Comparison {
  samples = 0;
  /** Samples for which another class is decided. */
  otherwise = 0;
  /** The largest difference of a probability. */
  difference = 0;

  add(a: Float32Array, b: Float32Array, classes: number): void {
    for (let start = 0; start + classes <= a.length; start += classes) {
      const [p, q] = [a, b].map((values) => softmax(values.subarray(start, start + classes))) as [
        Float64Array,
        Float64Array,
      ];
      this.samples++;
      const distance = p.reduce((most, value, c) => Math.max(most, Math.abs(value - (q[c] as number))), 0);
      this.difference = Math.max(this.difference, distance);
      if (largest(p) === largest(q)) continue;
      const scores = [a, b].map((values) => values.subarray(start, start + classes));
      if (distance > SAME || scoreDistance(scores[0]!, scores[1]!) > SAME_OF_RANGE) this.otherwise++;
    }
  }

  get differs(): boolean {
    return this.difference > SAME || this.otherwise > 0;
  }

  tell(
    run: RunContext,
    code: LimbeckError['code'],
    { problem, remedy }: { problem: string; remedy: string },
  ): void {
    if (!this.differs) return;
    const { samples, otherwise } = this;
    const much = `for ${otherwise} of ${samples} samples another class, probabilities that differ by up to ${percent(this.difference)}`;
    // One text between two classes is no proof where probabilities are all but the same.
    const proven = this.difference > SAME || otherwise > 1;
    if (proven && otherwise > MOST_OTHERWISE * samples)
      throw new LimbeckError(code, problem, { where: much, remedy });
    run.warn(`${problem} (${much}). ${remedy}`);
  }
}

/** How far two rows of scores are apart, up to a number that is in all of them, as a part of the range of the first. */
function scoreDistance(a: Float32Array, b: Float32Array): number {
  const apart = a.map((value, c) => value - (b[c] as number));
  const range = (values: Float32Array) => Math.max(...values) - Math.min(...values);
  return range(apart) / Math.max(range(a), 1e-30);
}

function softmax(values: Float32Array): Float64Array {
  const most = Math.max(...values);
  const powers = Float64Array.from(values, (value) => Math.exp(value - most));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

function largest(values: Float64Array): number {
  return values.reduce((best, value, i) => (value > (values[best] as number) ? i : best), 0);
}

function joined(pieces: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
