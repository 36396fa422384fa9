import { join } from 'node:path';
import { median } from '../bench/statistics.ts';
import type { ModelResult, QuestionsResult, RunResult } from '../src/index.ts';
import { askedQuestions, KINDS } from './asked-questions.ts';
import { KEPT, lmStudent, lmTeacherShape, SHIPPED_TEACHER } from './lm-runs.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';
import { writingSpeeds } from './writing-speed.ts';

/** What the student keeps of its teacher's score above chance, and how many times faster it writes. */
const KEEPS = 0.92;
const FASTER = 15;
/** One model on the test split. */
interface Measured {
  readonly perplexity: number;
  readonly bitsPerByte: number;
  /** How far above chance its answers are, by kind of question; 1 where all are right. */
  readonly scores: Readonly<Record<string, QuestionsResult>>;
}

/** recipes/lm.yaml beside its teacher, beside itself without one, and with the likeliest tokens in the place of drawn ones. */
export const languageModels: Proof = {
  name: 'lm',
  title: 'A language model: entries of WordNet',
  async run(log) {
    const shape = await lmTeacherShape(log);
    const students: Record<string, Measured[]> = { sampled: [], likeliest: [], text: [] };
    const faster: number[] = [];
    const speeds: number[] = [];
    const smaller: number[] = [];
    const runs: { readonly result: RunResult; readonly out: string }[] = [];
    let tokensASecond = { teacher: Number.NaN, int8: Number.NaN };
    for (const seed of SEEDS) {
      const run = await lmStudent('sampled', seed, log);
      runs.push(run);
      const { result, out } = run;
      students.sampled?.push(await measured(result.student, out));
      const text = result.baselines?.find(({ name }) => name === 'labels')?.result;
      if (!text) throw new Error(`${out} has no student of the text alone`);
      students.text?.push(await measured(text, out, 'baseline'));
      const other = await lmStudent('likeliest', seed, log);
      students.likeliest?.push(await measured(other.result.student, other.out));
      const [theirs, theirInt8, ours] = await writingSpeeds([
        shape.file,
        SHIPPED_TEACHER,
        join(out, 'student/onnx/model.onnx'),
      ]);
      const ratios = (ours as number[]).map((speed, i) => speed / (theirs?.[i] as number));
      faster.push(median(ratios));
      speeds.push(median(ours as number[]));
      smaller.push(shape.parameters / result.student.parameters);
      tokensASecond = { teacher: median(theirs as number[]), int8: median(theirInt8 as number[]) };
    }
    const [first] = runs as [(typeof runs)[number]];
    const teacher = await measured(teacherOf(first), first.out, 'teacher');
    const { sampled, likeliest, text } = students as Record<'sampled' | 'likeliest' | 'text', Measured[]>;
    const row = (title: string, models: readonly Measured[]) => [
      title,
      numbers(
        models.map(({ perplexity }) => perplexity),
        1,
      ),
      numbers(
        models.map(({ bitsPerByte }) => bitsPerByte),
        3,
      ),
      ...KINDS.map((kind) =>
        percents(models.map(({ scores }) => informed(scores[kind] as QuestionsResult).accuracy)),
      ),
      percents(models.map(score)),
    ];
    const rows = [
      [
        'model',
        'test perplexity',
        'bits a byte',
        ...KINDS.map((kind) => `${kind}, % right`),
        'above chance, %',
      ],
      [
        'by guessing',
        '',
        '',
        ...KINDS.map((kind) =>
          percents([teacher.scores[kind]?.chance ?? Number.NaN]).replace(/ ± [0.]+$/, ''),
        ),
        '0',
      ],
      row('teacher, int8', [teacher]).map((cell) => cell.replace(/ ± [0.]+$/, '')),
      row(`student, ${KEPT.sampled.title}`, sampled),
      row(`student, ${KEPT.likeliest.title}`, likeliest),
      row('the same student, the text alone', text),
    ];
    const parts = (models: readonly Measured[]) => models.map((model) => score(model) / score(teacher));
    const better = (models: readonly Measured[], than: readonly Measured[]) =>
      models.map(({ perplexity }, i) => 1 - perplexity / (than[i] as Measured).perplexity);
    const scoreGains = sampled.map((model, i) => score(model) - score(text[i] as Measured));
    const intervals = Object.entries(teacher.scores).map(([kind, result]) => {
      const { low, high } = informed(result).interval;
      return `${kind} ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)} % (${result.questions} questions)`;
    });
    return {
      table: markdownTable(rows),
      text:
        `Mean ± standard deviation over ${SEEDS.length} seeds of the students; one teacher, and one split. The score is of questions with four choices about nouns whose entries are in the test split, which no model has read: which definition, hypernym, example does the word make likelier than it is anyway (\`limbeck ask\`, by information); (right - chance) / (1 - chance), over all questions. ` +
        `The teacher's 95 % intervals: ${intervals.join(', ')}. ` +
        `The teacher has ${shape.parameters.toLocaleString('en')} parameters, ${numbers(smaller, 1)} times as many as the student, and comes along in int8 (models/wordnet-lm; its float32 form has the same perplexity). A float32 file of its shape writes ${tokensASecond.teacher.toFixed(0)} tokens a second, the int8 one ${tokensASecond.int8.toFixed(0)}, the student ${numbers(speeds, 0)} in float32: one stream, one thread, with a cache, models in turns. ` +
        `Both ways of keeping answers take at most 98 bytes a token. With so many questions a single score is known to about ±${(100 * halfInterval(teacher)).toFixed(1)} points, ${((100 * halfInterval(teacher)) / score(teacher)).toFixed(0)} % of the teacher's.`,
      claims: [
        {
          text: `the student writes at least ${FASTER} times faster than its teacher's shape in float32 (${numbers(faster, 1)} times)`,
          holds: spreadOf(faster).mean >= FASTER,
        },
        {
          text: `it keeps at least ${100 * KEEPS} % of its teacher's score above chance (${percents(parts(sampled))} %)`,
          holds: spreadOf(parts(sampled)).mean >= KEEPS,
        },
        gain('its perplexity is lower than from the text alone', better(sampled, text), '%'),
        gain('its score is higher than from the text alone', scoreGains, 'points'),
        gain('its perplexity is lower than with the likeliest tokens', better(sampled, likeliest), '%'),
      ],
    };
  },
};

function teacherOf({ result, out }: { readonly result: RunResult; readonly out: string }): ModelResult {
  if (!result.teacher) throw new Error(`${out} measured no teacher`);
  return result.teacher;
}

function gain(what: string, gains: readonly number[], unit: string) {
  const { mean, deviation } = spreadOf(gains);
  return { text: `${what} by more than the spread (${percents(gains)} ${unit})`, holds: mean > deviation };
}

/** Of all questions together, by information: 0 at chance, 1 where all are right. */
function score({ scores }: Measured): number {
  const all = Object.values(scores);
  const sum = (of: (one: QuestionsResult) => number) => all.reduce((total, one) => total + of(one), 0);
  const right = sum((one) => one.questions * informed(one).accuracy);
  const chance = sum((one) => one.questions * one.chance);
  return (right - chance) / (sum(({ questions }) => questions) - chance);
}

/** Half of the 95 % interval of a score, by the normal approximation. */
function halfInterval({ scores }: Measured): number {
  const all = Object.values(scores);
  const count = all.reduce((sum, { questions }) => sum + questions, 0);
  const mean = (of: (one: QuestionsResult) => number) =>
    all.reduce((sum, one) => sum + one.questions * of(one), 0) / count;
  const right = mean((one) => informed(one).accuracy);
  return (1.96 * Math.sqrt((right * (1 - right)) / count)) / (1 - mean(({ chance }) => chance));
}

function informed({ title, byInformation }: QuestionsResult) {
  if (!byInformation) throw new Error(`${title} have no premise`);
  return byInformation;
}

async function measured(
  { metrics }: ModelResult,
  run: string,
  model?: 'student' | 'baseline' | 'teacher',
): Promise<Measured> {
  const { perplexity, bitsPerByte } = metrics;
  if (typeof perplexity !== 'number' || typeof bitsPerByte !== 'number')
    throw new Error(`${run} measured no perplexity`);
  return { perplexity, bitsPerByte, scores: await askedQuestions(run, model) };
}
