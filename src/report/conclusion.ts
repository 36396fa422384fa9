import { accuracyInterval } from '../metrics/interval.ts';
import type { MetricInfo } from '../metrics/metric.ts';
import { bytes, capital, decimal, percent, times } from './html/format.ts';
import { directionOf, isOrHas, lowerBy, margin, namedValue, negated, shownValue } from './main-metric.ts';
import {
  type BaselineResult,
  type Gain,
  LABELS_ALONE,
  type ModelResult,
  mainMetric,
  metricValue,
  type RunResult,
  type TrainResult,
} from './result.ts';

/** What may be said of a distillation; the terminal, the page and the model card all ask here. */
export type Conclusion =
  /** The teacher is right no more often than always giving the most frequent class. */
  | 'teacher-knows-nothing'
  | 'student-knows-nothing'
  /** Something that learnt from the labels alone is better, beyond chance. */
  | 'did-not-help'
  /** Something cheaper that learnt from the same teacher is better, beyond chance. */
  | 'peer-is-better'
  /** No difference from what learnt from the labels alone that the test split could show. */
  | 'unclear'
  | 'helped'
  /** There was nothing to compare with. */
  | 'uncompared';

/** The run's numbers that conclusions rest on; results of earlier versions lack some. */
export type Concluded = Pick<
  RunResult,
  | 'metrics'
  | 'teacher'
  | 'hostedTeacher'
  | 'student'
  | 'baseline'
  | 'baselines'
  | 'retention'
  | 'speedup'
  | 'testSamples'
  | 'chance'
  | 'overTeacher'
>;

/** Concludes a run from its result: no claim is finer than the 95 % interval that the test split allows. */
export function conclusionOf(result: Concluded): Conclusion {
  if (result.teacher && !knowsSomething(result, result.teacher)) return 'teacher-knows-nothing';
  if (!knowsSomething(result, result.student)) return 'student-knows-nothing';
  const alone = bestBaseline(result, 'labels');
  if (alone && directionOf(alone.gain) === 'lower') return 'did-not-help';
  const peer = bestBaseline(result, 'teacher');
  if (peer && directionOf(peer.gain) === 'lower') return 'peer-is-better';
  if (!alone) return 'uncompared';
  return directionOf(alone.gain) === 'higher' ? 'helped' : 'unclear';
}

/**
 * Whether the part of the teacher's main metric that the student keeps says something: a teacher that knows nothing has none, and
 * a part of an error is none.
 */
export function mayQuoteRetention(result: Concluded): boolean {
  if (result.retention === null || mainMetric(result).better === 'lower') return false;
  const conclusion = conclusionOf(result);
  return conclusion !== 'teacher-knows-nothing' && conclusion !== 'student-knows-nothing';
}

/** The run in one sentence, without its full stop. `unit` is what a sample is: `texts`, `images`. */
export function headlineOf(result: Concluded, unit: string): string {
  const { teacher, student, speedup } = result;
  const metric = mainMetric(result);
  const alone = bestBaseline(result, 'labels');
  const peer = bestBaseline(result, 'teacher');
  // Of a teacher that was asked somewhere else nobody knows how fast it is.
  const isFaster =
    speedup === null
      ? studentHeadline(result, unit)
      : `A ${bytes(student.bytes)} student ${speedOf(speedup)}`;
  switch (conclusionOf(result)) {
    case 'teacher-knows-nothing':
      return noMoreThanChance('teacher', teacher ?? student, result, unit, {
        certain: 'there was nothing to distil',
        unclear: 'they show nothing to distil',
      });
    case 'student-knows-nothing':
      return noMoreThanChance('student', student, result, unit, LEARNT_NOTHING);
    case 'did-not-help':
      return `This distillation did not help: ${asSubject(alone?.title)} ${alone && isOrHas(metric, alone.result)}, the student ${shown(metric, student)}`;
    case 'peer-is-better':
      return `${capital(asSubject(peer?.title))} ${peer && largerPeer(peer, result) ? moreAccurate(metric) : 'is the better choice'}: it ${peer && isOrHas(metric, peer.result)}, the student ${shown(metric, student)}`;
    case 'unclear':
      return `${isFaster}; ${samplesOf(result, unit)} do not show whether its teacher helped`;
    default:
      return teacher ? `${isFaster} and ${keptOf({ ...result, teacher }, unit)}` : isFaster;
  }
}

/** `a linear model of n-grams, from the labels alone,`: what stands after a comma ends with one before a verb. */
function asSubject(title = ''): string {
  return title.includes(',') ? `${title},` : title;
}

const LEARNT_NOTHING = {
  certain: 'it learnt nothing that the test split shows',
  unclear: 'they do not show that it learnt anything',
};

/** A value without the name of the metric, for one that was named before. */
function shown(metric: MetricInfo, model: ModelResult): string {
  return shownValue(metric, metricValue(model, metric));
}

function moreAccurate({ name }: MetricInfo): string {
  return name === 'accuracy' ? 'is more accurate' : 'is better';
}

/** A model of which the test split does not show that it knows something, for one of two reasons. */
function noMoreThanChance(
  model: 'teacher' | 'student',
  { accuracy = 0 }: ModelResult,
  result: Pick<Concluded, 'testSamples' | 'chance'>,
  unit: string,
  follows: { readonly certain: string; readonly unclear: string },
): string {
  const { chance = 0 } = result;
  const right = `The ${model} is right ${percent(accuracy)} of the time`;
  const always = 'always giving the most frequent class';
  if (chance >= 1) {
    return `${right}, on ${samplesOf(result, unit)} of one class alone: ${follows.unclear}`;
  }
  // Right more often, so that "no more than" would be untrue: the split is too small to tell.
  return accuracy > chance
    ? `${right}; ${samplesOf(result, unit)} do not tell that from ${always} (${percent(chance)}): ${follows.unclear}`
    : `${right}, no more than ${always} (${percent(chance)}): ${follows.certain}`;
}

/** A student without a teacher in one sentence, without its full stop. */
export function studentHeadline(
  result: Pick<TrainResult, 'metrics' | 'student' | 'chance' | 'testSamples'>,
  unit: string,
): string {
  const { student } = result;
  if (!knowsSomething(result, student))
    return noMoreThanChance('student', student, result, unit, LEARNT_NOTHING);
  return `A ${bytes(student.bytes)} student ${isOrHas(mainMetric(result), student)} and answers ${decimal(student.throughput)} ${unit} a second`;
}

/**
 * What the student is worth beside each kind of baseline, a sentence each: the best of those that learnt from the labels
 * alone, and the best of those that learnt from the teacher's answers, too.
 */
export function worthOf(result: Concluded, unit: string, labels?: number): string[] {
  const metric = mainMetric(result);
  const sentences: string[] = hostedSentences(result, unit);
  const alone = bestBaseline(result, 'labels');
  if (alone) {
    const reaches = `Without the teacher, ${named(alone, labels, unit)} reaches ${namedValue(metric, alone.result)}`;
    const withIt = `; with the teacher, ${metric.title} is ${lowerBy(metric, alone.gain)}`;
    const said = {
      higher: isError(metric) ? withIt : `: the teacher is worth ${margin(metric, alone.gain)}`,
      lower: `${isError(metric) ? withIt : `, ${margin(metric, negated(alone.gain))} more`}: this distillation did not help`,
      unclear: `${isError(metric) ? withIt : `: a difference of ${margin(metric, alone.gain)}`}, which may be chance`,
    };
    sentences.push(`${reaches}${said[directionOf(alone.gain)]}.`);
  }
  const peer = bestBaseline(result, 'teacher');
  if (peer) {
    const larger = largerPeer(peer, result);
    const reaches = `${capital(named(peer, undefined, unit))} reaches ${namedValue(metric, peer.result)}`;
    const said = {
      higher: isError(metric)
        ? `; ${studentBetterBy(metric, peer.gain)}`
        : `: the student is ${margin(metric, peer.gain)} above it`,
      lower: `${isError(metric) ? `; ${studentBetterBy(metric, peer.gain)}` : `, ${margin(metric, negated(peer.gain))} more than the student`}: ${larger ? `it ${moreAccurate(metric)}, in a larger file ${larger}` : 'it is the better choice'}`,
      // What a person could have for less has to be beaten, not only equalled.
      unclear: `: ${samplesOf(result, unit)} do not show that the student is better${larger ? `, but it takes less room ${larger}` : ', so the simpler model is the better choice'}`,
    };
    sentences.push(`${reaches}${said[directionOf(peer.gain)]}.`);
  }
  return sentences;
}

/** `the student is 2.0 points better`, `the student's RMSE is 3.1 % lower`, with the interval. */
function studentBetterBy(metric: MetricInfo, gain: Gain): string {
  if (isError(metric)) return `the student's ${metric.title} is ${lowerBy(metric, gain)}`;
  return (gain.difference ?? 0) < 0
    ? `the student is ${margin(metric, negated(gain))} worse`
    : `the student is ${margin(metric, gain)} better`;
}

/** A part of an error is one of something, which has to be named. */
function isError({ better }: MetricInfo): boolean {
  return better === 'lower';
}

/** How good a teacher was that was asked somewhere else, and what it cost. */
function hostedSentences({ hostedTeacher, ...result }: Concluded, unit: string): string[] {
  if (!hostedTeacher) return [];
  const { title, model, answers, measured, requests, inputTokens, outputTokens, money, currency, decides } =
    hostedTeacher;
  const metric = mainMetric(result);
  const price = money === null ? '' : `, ${money.toFixed(money < 1 ? 4 : 2)} ${currency}`;
  const asked = `The teacher is ${title} (it calls itself ${model}): ${answers.join(', ')}; ${decimal(requests)} requests, ${decimal(inputTokens + outputTokens)} tokens${price} in all.`;
  if (decides) {
    return [
      asked,
      `Nobody else knows what is true of the test ${unit}: all numbers are agreement with the teacher.`,
    ];
  }
  if (!measured) return [asked];
  const none = measured.unanswered > 0 ? `, ${decimal(measured.unanswered)} it left without an answer` : '';
  return [
    asked,
    `On the ${decimal(measured.samples)} test ${unit} that it answered${none}, it ${isOrHas(metric, measured)}; on the same ones ${studentBetterBy(metric, measured.studentGain)}.`,
  ];
}

/** The sizes of a peer and of the student, where the peer's file is the larger one: it is then not simply the better choice. */
function largerPeer({ result }: BaselineResult, { student }: Pick<Concluded, 'student'>): string | undefined {
  return result.bytes > student.bytes
    ? `(${bytes(result.bytes)}, the student ${bytes(student.bytes)})`
    : undefined;
}

/** The best of what the student is compared with by the main metric, of those taught in one way; undefined without any. */
export function bestBaseline(
  result: Concluded,
  taughtBy: BaselineResult['taughtBy'],
): BaselineResult | undefined {
  const metric = mainMetric(result);
  const sign = metric.better === 'higher' ? 1 : -1;
  return baselinesOf(result)
    .filter((baseline) => baseline.taughtBy === taughtBy)
    .toSorted((a, b) => sign * (metricValue(b.result, metric) - metricValue(a.result, metric)))[0];
}

/** All baselines. Results of earlier versions have one, and say nothing of chance: its gain is taken as it was counted. */
export function baselinesOf({
  student,
  baseline,
  baselines,
}: Pick<Concluded, 'student' | 'baseline' | 'baselines'>): readonly BaselineResult[] {
  if (baselines) return baselines;
  if (!baseline) return [];
  const difference = (student.accuracy ?? 0) - (baseline.accuracy ?? 0);
  const gain = { difference, low: difference, high: difference };
  return [{ ...LABELS_ALONE, result: baseline, gain }];
}

/**
 * Whether an accuracy is above that of always giving the most frequent class, beyond chance. Of other answers nothing so simple
 * is known that they have to be better than.
 */
function knowsSomething(
  { testSamples, chance = 0 }: Pick<Concluded, 'testSamples' | 'chance'>,
  { accuracy }: Pick<ModelResult, 'accuracy'>,
): boolean {
  if (testSamples === undefined || accuracy === undefined) return true;
  return accuracyInterval(Math.round(accuracy * testSamples), testSamples).low > chance;
}

/** `answers 33 times as fast as the teacher`, or how much slower. */
export function speedBesideTeacher(ratio: number): string {
  return ratio > 0.95
    ? `answers ${times(ratio)} as fast as the teacher`
    : `answers ${times(1 / Math.max(ratio, 1e-9))} slower than the teacher`;
}

function speedOf(speedup: number): string {
  if (speedup >= 1.05) return `answers ${times(speedup)} faster`;
  if (speedup > 0.95) return 'answers as fast as its teacher';
  return `answers ${times(1 / Math.max(speedup, 1e-9))} slower`;
}

/** How it stands to its teacher by the main metric. */
function keptOf(result: Concluded & { readonly teacher: ModelResult }, unit: string): string {
  const { teacher, student, retention, overTeacher } = result;
  const metric = mainMetric(result);
  const both = `(${namedValue(metric, student)}, the teacher ${shown(metric, teacher)})`;
  const compared = overTeacher ? directionOf(overTeacher) : (retention ?? 0) > 1 ? 'higher' : 'lower';
  const [better, asGood] =
    metric.name === 'accuracy'
      ? ['is right more often than', 'is as often right as']
      : ['is better than', 'is as good as'];
  if (compared === 'higher') return `${better} its teacher ${both}`;
  if (compared === 'unclear')
    return `${asGood} its teacher, as far as ${samplesOf(result, unit)} tell ${both}`;
  return retention !== null && metric.better === 'higher'
    ? `keeps ${percent(retention)} of its teacher’s ${metric.title}`
    : `has ${namedValue(metric, student)}, its teacher ${shown(metric, teacher)}`;
}

function samplesOf({ testSamples }: Pick<Concluded, 'testSamples'>, unit: string): string {
  return testSamples === undefined ? `the test ${unit}` : `${decimal(testSamples)} test ${unit}`;
}

function named({ name, title }: BaselineResult, labels: number | undefined, unit: string): string {
  const shown =
    name === LABELS_ALONE.name && labels !== undefined
      ? `the same student, from ${decimal(labels)} ${unit === 'pairs' ? 'pairs' : 'labels'} alone`
      : title;
  return shown.includes(',') ? `${shown},` : shown;
}
