import { formatValue } from '../metrics/format-metric.ts';
import { percent } from '../percent.ts';
import type { AnswersResult, Gain, HostedTeacherResult } from './answers-result.ts';
import { LABELS_ALONE } from './result.ts';

type Metric = AnswersResult['metrics'][number];

/** The main metric and its value on a model: `macro-AUROC 91.2 %`. */
export function mainValue(
  { metrics }: Pick<AnswersResult, 'metrics'>,
  model: AnswersResult['student'],
): string {
  const metric = metrics[0] as Metric;
  return `${metric.title} ${formatValue(metric, model.metrics[metric.name] ?? Number.NaN)}`;
}

/** What came of a run, in one sentence without a full stop. */
export function answersHeadline(result: AnswersResult): string {
  const { student, teacher, retention, speedup } = result;
  if (!teacher) return `A student with ${mainValue(result, student)}`;
  const kept =
    typeof retention === 'number' && (result.metrics[0] as Metric).better === 'higher'
      ? `keeps ${percent(retention)} of its teacher's ${(result.metrics[0] as Metric).title}`
      : `has ${mainValue(result, student)}, its teacher ${mainValue(result, teacher)}`;
  const fast = typeof speedup === 'number' ? ` at ${times(speedup)} times its speed` : '';
  return `The student ${kept}${fast}`;
}

/** What the teacher was worth, and what the simplest models would have done: sentences. */
export function answersWorth(result: AnswersResult): string[] {
  const { baselines = [], hostedTeacher } = result;
  const peers = baselines.map(({ name, title, result: own, gain }) => {
    const subject = name === LABELS_ALONE.name ? 'Without the teacher, the same student' : sentence(title);
    return `${subject} reaches ${mainValue(result, own)}; ${gained(result.metrics[0] as Metric, gain)}`;
  });
  return [...(hostedTeacher ? hostedSentences(result, hostedTeacher) : []), ...peers];
}

/** What a teacher that was asked somewhere else is worth, and what it cost. */
function hostedSentences({ metrics }: AnswersResult, hosted: HostedTeacherResult): string[] {
  const { title, model, answers, measured, requests, inputTokens, outputTokens, money, currency, decides } =
    hosted;
  const metric = metrics[0] as Metric;
  const cost = `${requests.toLocaleString('en')} requests, ${(inputTokens + outputTokens).toLocaleString('en')} tokens${money === null ? '' : `, ${money < 1 ? money.toFixed(4) : money.toFixed(2)} ${currency}`}`;
  const asked = `The teacher is ${title} (it calls itself ${model}): ${answers.join(', ')}; ${cost} in all.`;
  if (decides)
    return [
      asked,
      'Nobody else knows what is true of the test samples: all numbers are agreement with the teacher.',
    ];
  if (!measured) return [asked];
  const value = formatValue(metric, measured.metrics[metric.name] ?? Number.NaN);
  const none =
    measured.unanswered > 0 ? `, ${measured.unanswered} of the test samples it left without an answer` : '';
  return [
    asked,
    `On the ${measured.samples} test samples that it answered${none} it reaches ${metric.title} ${value}; on the same ones ${gained(metric, measured.studentGain)}`,
  ];
}

/** How a student differs from another model, as far as the samples tell. */
function gained({ better, format }: Metric, { difference, low, high }: Gain): string {
  if (difference === null) return 'the two cannot be compared.';
  const isError = better === 'lower';
  const told = (value: number) =>
    isError || format === 'percent' ? decimal(100 * value) : value.toPrecision(2);
  const unit = isError ? ' %' : format === 'percent' ? ' points' : '';
  const direction = difference > 0 !== isError ? 'higher' : 'lower';
  const [from, to] = isError ? [high, low].map((bound) => (bound === null ? null : -bound)) : [low, high];
  const range =
    typeof from === 'number' && typeof to === 'number'
      ? ` (95 % interval: ${signed(from, told)} to ${signed(to, told)})`
      : '';
  const isSure = low !== null && high !== null && (low > 0 || high < 0);
  const what = isError ? "the student's error" : "the student's";
  return `${what} is ${told(Math.abs(difference))}${unit} ${direction}${range}${isSure ? '.' : ', which may be chance.'}`;
}

function times(ratio: number): string {
  return ratio >= 10 ? Math.round(ratio).toLocaleString('en') : `${Number(ratio.toPrecision(2))}`;
}

function decimal(value: number): string {
  return `${Number(value.toFixed(1))}`;
}

function signed(value: number, told: (value: number) => string): string {
  return `${value < 0 ? '-' : '+'}${told(Math.abs(value))}`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a shut gate means for the files. */
export function shutAnswersGate({ metrics, gate }: AnswersResult): string | undefined {
  if (!gate || gate.passed) return undefined;
  const { title } = metrics[0] as Metric;
  return `the int8 student loses ${percent(gate.drop, 2)} by ${title}; the recipe allows ${percent(gate.maxDrop, 2)} (export.int8.maxDrop)`;
}
