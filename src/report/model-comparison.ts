import { type Confusion, confusionCounts, countAnswer, createConfusion } from '../metrics/confusion.ts';
import { type RandomStream, randomStream } from '../random.ts';
import { countConfidence, createReliability, type Reliability, reliabilityBins } from './reliability.ts';
import type { Answer, ConfusionPair, Disagreement, ErrorOrigins, ReportData } from './report-data.ts';
import { type ShownExample, shownExample } from './shown-example.ts';
import type { Mistake, StudentAnswers } from './train-report.ts';

/** A test text and what each model answered. */
export interface ComparedText {
  /** The text, image or sound; called for those alone that the report shows. */
  example(): ShownExample;
  /** Index of the true label. */
  truth: number;
  teacher: Answer;
  student: Answer;
  baseline?: Answer | undefined;
}

/** The part of a report that comes from comparing the models text by text. */
export type ComparisonResult = Pick<ReportData, 'confusion' | 'errors' | 'disagreements' | 'calibration'>;

const EXAMPLES = 12;

/**
 * Compares teacher, student and baseline text by text, in memory that does not grow with the number of texts:
 * confusion counts, whose errors the student's are, a fair sample of disagreements (none without `examples`), and reliability.
 *
 * @example
 * const comparison = createComparison({ classes: labels.length, seed: 1 });
 * comparison.add({ example: () => ({ text }), truth: 3, teacher: { label: 3, confidence: 0.8 }, student: { label: 5, confidence: 0.4 } });
 * const { errors } = comparison.result();
 */
export function createComparison(options: { classes: number; seed: number; examples?: boolean }) {
  const { classes, seed, examples = true } = options;
  const tallies = { teacher: tally(classes), student: tally(classes), baseline: tally(classes) };
  const inherited = createConfusion(classes);
  const own = createConfusion(classes);
  const samples = {
    studentRight: createSample<Disagreement>(randomStream(seed, 'disagreements', 'student right')),
    teacherRight: createSample<Disagreement>(randomStream(seed, 'disagreements', 'teacher right')),
    bothWrong: createSample<Disagreement>(randomStream(seed, 'disagreements', 'both wrong')),
  };
  let hasBaseline = false;
  let total = 0;
  let agreed = 0;
  let corrected = 0;
  let teacherRight = 0;

  return {
    /** Counts one text. */
    add(compared: ComparedText): void {
      const { truth, teacher, student, baseline } = compared;
      total += 1;
      count(tallies.teacher, truth, teacher);
      count(tallies.student, truth, student);
      if (baseline) {
        hasBaseline = true;
        count(tallies.baseline, truth, baseline);
      }
      if (student.label === teacher.label) agreed += 1;
      else if (examples) {
        const kind =
          student.label === truth ? 'studentRight' : teacher.label === truth ? 'teacherRight' : 'bothWrong';
        samples[kind].offer(() => ({
          ...shownExample(compared.example()),
          truth,
          teacher: { ...teacher },
          student: { ...student },
        }));
      }
      if (student.label === truth) {
        if (teacher.label !== truth) corrected += 1;
        return;
      }
      countAnswer(student.label === teacher.label ? inherited : own, truth, student.label);
      if (teacher.label === truth) teacherRight += 1;
    },

    /** What was counted so far. */
    result(): ComparisonResult {
      const inheritedPairs = pairs(inherited);
      const ownPairs = pairs(own);
      const errors: ErrorOrigins = {
        inherited: { count: countOf(inheritedPairs), pairs: inheritedPairs },
        own: { count: countOf(ownPairs), teacherRight, pairs: ownPairs },
        corrected,
        agreed,
        total,
      };
      const { teacher, student, baseline } = tallies;
      return {
        confusion: {
          teacher: confusionCounts(teacher.confusion),
          student: confusionCounts(student.confusion),
          baseline: hasBaseline ? confusionCounts(baseline.confusion) : null,
        },
        errors,
        disagreements: inTurn(
          [samples.studentRight.items, samples.teacherRight.items, samples.bothWrong.items],
          EXAMPLES,
        ),
        calibration: {
          teacher: reliabilityBins(teacher.reliability),
          student: reliabilityBins(student.reliability),
          baseline: hasBaseline ? reliabilityBins(baseline.reliability) : null,
        },
      };
    },
  };
}

/**
 * What a student's answers say of it where there is no teacher: confusion counts, reliability, and a fair sample of what it
 * got wrong (none without `examples`).
 */
export function createStudentAnswers(options: { classes: number; seed: number; examples?: boolean }) {
  const { classes, seed, examples = true } = options;
  const student = tally(classes);
  const mistakes = createSample<Mistake>(randomStream(seed, 'mistakes'));
  return {
    add({ example, truth, answer }: Pick<ComparedText, 'example' | 'truth'> & { answer: Answer }): void {
      count(student, truth, answer);
      if (answer.label === truth || !examples) return;
      mistakes.offer(() => ({
        ...shownExample(example()),
        truth,
        student: { ...answer },
      }));
    },
    result: (): StudentAnswers => ({
      confusion: confusionCounts(student.confusion),
      calibration: reliabilityBins(student.reliability),
      mistakes: mistakes.items,
    }),
  };
}

interface Tally {
  confusion: Confusion;
  reliability: Reliability;
}

function tally(classes: number): Tally {
  return { confusion: createConfusion(classes), reliability: createReliability() };
}

function count(target: Tally, truth: number, answer: Answer): void {
  countAnswer(target.confusion, truth, answer.label);
  countConfidence(target.reliability, answer.confidence, answer.label === truth);
}

/** Every pair that occurred, most frequent first; ties in the labels' order. */
function pairs(confusion: Confusion): ConfusionPair[] {
  const found: ConfusionPair[] = [];
  confusion.counts.forEach((times, position) => {
    if (times === 0) return;
    const truth = Math.floor(position / confusion.classes);
    found.push({ truth, predicted: position % confusion.classes, count: times });
  });
  return found.sort((a, b) => b.count - a.count);
}

function countOf(found: readonly ConfusionPair[]): number {
  return found.reduce((total, pair) => total + pair.count, 0);
}

/** Reservoir sampling: after n offers each had the same chance EXAMPLES / n to be kept (Vitter 1985, algorithm R). */
function createSample<Item>(random: RandomStream) {
  const items: Item[] = [];
  let offered = 0;
  return {
    items,
    offer(make: () => Item): void {
      offered += 1;
      if (items.length < EXAMPLES) items.push(make());
      else {
        const place = random.integer(offered);
        if (place < EXAMPLES) items[place] = make();
      }
    },
  };
}

/** Takes from the lists in turn until `limit` are taken: as many of each kind as there are. */
function inTurn(lists: readonly Disagreement[][], limit: number): Disagreement[] {
  const taken: Disagreement[] = [];
  const longest = Math.max(...lists.map((list) => list.length));
  for (let place = 0; place < longest; place++) {
    for (const list of lists) {
      const item = list[place];
      if (item && taken.length < limit) taken.push(item);
    }
  }
  return taken;
}
