import { type Confusion, confusionCounts, countAnswer, createConfusion } from '../metrics/confusion.ts';
import { type RandomStream, randomStream } from '../random.ts';
import type { Answer, ClassAnswers, ConfusionPair, Disagreement, Mistake } from './class-answers.ts';
import { countConfidence, createReliability, type Reliability, reliabilityBins } from './reliability.ts';
import { type ShownExample, shownExample } from './shown-example.ts';

/** A test sample and what each model answered. */
export interface ComparedSample {
  /** The text, image or sound; called for those alone that the report shows. */
  example(): ShownExample;
  /** Index of the true label. */
  truth: number;
  student: Answer;
  teacher?: Answer | undefined;
  baseline?: Answer | undefined;
}

const EXAMPLES = 12;

/**
 * Compares student, teacher and baseline sample by sample, in memory that does not grow with the number of samples: confusion
 * counts, whose errors the student's are, reliability, and a fair sample of disagreements or, without a teacher, of mistakes (none
 * without `examples`).
 *
 * @example
 * const comparison = createComparison({ labels, seed: 1 });
 * comparison.add({ example: () => ({ text }), truth: 3, teacher: { label: 3, confidence: 0.8 }, student: { label: 5, confidence: 0.4 } });
 * const { errors } = comparison.result();
 */
export function createComparison(options: {
  readonly labels: readonly string[];
  readonly seed: number;
  readonly examples?: boolean;
}) {
  const { labels, seed, examples = true } = options;
  const classes = labels.length;
  const tallies = { teacher: tally(classes), student: tally(classes), baseline: tally(classes) };
  const inherited = createConfusion(classes);
  const own = createConfusion(classes);
  const samples = {
    studentRight: createSample<Disagreement>(randomStream(seed, 'disagreements', 'student right')),
    teacherRight: createSample<Disagreement>(randomStream(seed, 'disagreements', 'teacher right')),
    bothWrong: createSample<Disagreement>(randomStream(seed, 'disagreements', 'both wrong')),
  };
  const mistakes = createSample<Mistake>(randomStream(seed, 'mistakes'));
  const answered = { teacher: false, baseline: false };
  let total = 0;
  let agreed = 0;
  let corrected = 0;
  let teacherRight = 0;

  return {
    /** Counts one sample. */
    add({ example, truth, student, teacher, baseline }: ComparedSample): void {
      total += 1;
      count(tallies.student, truth, student);
      if (baseline) {
        answered.baseline = true;
        count(tallies.baseline, truth, baseline);
      }
      if (teacher) {
        answered.teacher = true;
        count(tallies.teacher, truth, teacher);
        compare(example, truth, student, teacher);
      } else if (student.label !== truth && examples) {
        mistakes.offer(() => ({ ...shownExample(example()), truth, student: { ...student } }));
      }
    },

    /** What was counted so far. */
    result(): ClassAnswers {
      const inheritedPairs = pairs(inherited);
      const ownPairs = pairs(own);
      const told = <T>(read: (from: Tally) => T) => ({
        teacher: answered.teacher ? read(tallies.teacher) : null,
        student: read(tallies.student),
        baseline: answered.baseline ? read(tallies.baseline) : null,
      });
      return {
        block: 'classes',
        labels: [...labels],
        confusion: told(({ confusion }) => confusionCounts(confusion)),
        errors: answered.teacher
          ? {
              inherited: { count: countOf(inheritedPairs), pairs: inheritedPairs },
              own: { count: countOf(ownPairs), teacherRight, pairs: ownPairs },
              corrected,
              agreed,
              total,
            }
          : null,
        disagreements: inTurn(
          [samples.studentRight.items, samples.teacherRight.items, samples.bothWrong.items],
          EXAMPLES,
        ),
        calibration: told(({ reliability }) => reliabilityBins(reliability)),
        mistakes: mistakes.items,
      };
    },
  };

  function compare(
    example: ComparedSample['example'],
    truth: number,
    student: Answer,
    teacher: Answer,
  ): void {
    if (student.label === teacher.label) agreed += 1;
    else if (examples) {
      const kind =
        student.label === truth ? 'studentRight' : teacher.label === truth ? 'teacherRight' : 'bothWrong';
      samples[kind].offer(() => ({
        ...shownExample(example()),
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
  }
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
