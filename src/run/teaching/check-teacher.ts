import { LimbeckError } from '../../errors.ts';
import { readLogits } from '../../metrics/class-answers.ts';
import { type BetterOrder, betterOrder } from '../../metrics/class-order.ts';
import { type Skill, skillOf } from '../../metrics/skill.ts';
import { percent } from '../../percent.ts';
import { isHosted } from '../../recipe/schema.ts';
import { askAll } from '../../teachers/ask-all.ts';
import type { ClassMatch } from '../../teachers/match-classes.ts';
import { chosenBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { openLabeller, TEACHER_BATCH } from './ask-teacher.ts';
import { memoryBound } from './memory-bound.ts';

/** Validation samples on which a teacher is measured before it labels; more tell little more. */
export const CHECKED_SAMPLES = 4096;

/** What a teacher answers to a batch of `samples`: [samples, classes]. */
export interface AnsweredBatch {
  readonly logits: Float32Array;
  readonly samples: number;
}

/** What a run found of its teacher before it labelled. */
export type TeacherCheck = Skill;

/**
 * Measures the teacher on the labelled validation samples, before anything costs time: a teacher that is no better than
 * chance has its classes in another order, or was not made for this data. Warns where two of its classes seem to be swapped.
 *
 * @returns what was found and, where that was all of the split, the answers in its order, so that it is not asked again
 * @throws LimbeckError `teacher.chance`, with the order of classes that fits best, if one does
 */
export async function checkTeacher(
  run: RunContext,
  data: TaskData,
  file: string,
): Promise<{ readonly check: TeacherCheck; readonly answered: readonly AnsweredBatch[] }> {
  const { counts, answered } = await countAnswers(run, data, file);
  return { check: tellSkill(run, data, counts, data.teacherTitle), answered };
}

/**
 * Says how a teacher compares with chance.
 *
 * @param counts its answers to labelled samples, [truth, answer]
 * @throws LimbeckError `teacher.chance`
 */
export function tellSkill(
  run: RunContext,
  data: TaskData,
  counts: Float64Array,
  title: string,
): TeacherCheck {
  const { labels } = data.dataset;
  const table = { classes: labels.length, counts };
  const skill = skillOf(table);
  const order = betterOrder(table);
  const found = { skill, order, labels, classes: data.classes };
  if (skill.verdict === 'chance') {
    const { teacher } = run.recipe;
    const knowsClasses = data.classes !== undefined || isHosted(run.recipe);
    const stops = knowsClasses && teacher && 'atChance' in teacher && teacher.atChance === 'stop';
    if (stops) throw atChance(found, data, title);
    run.warn(`${chanceProblem(found)}${order ? `; ${orderRemedy(found, order)}` : ''}`);
    return skill;
  }
  if (skill.verdict === 'unclear' && skill.samples > 0) {
    run.warn(
      `the teacher is right on ${percent(skill.accuracy)} of the ${skill.samples} labelled validation ${data.task.unit}, and by chance it would be on ${percent(skill.chance)}: too few to tell whether it knows these classes`,
    );
  }
  if (order) {
    const names = order.moved.map((k) => `'${labels[k]}'`).join(', ');
    run.warn(
      `the teacher seems to have the classes ${names} in each other's places: ${fits(found, order)}; ${orderRemedy(found, order)}`,
    );
  }
  return skill;
}

interface Found {
  readonly skill: Skill;
  readonly order: BetterOrder | undefined;
  readonly labels: readonly string[];
  readonly classes: ClassMatch | undefined;
}

function atChance(found: Found, data: TaskData, title: string): LimbeckError {
  const { order } = found;
  return new LimbeckError('teacher.chance', chanceProblem(found), {
    where: `${title}, ${found.skill.samples} labelled validation ${data.task.unit} of ${data.dataset.title}`,
    remedy: order
      ? `${capital(fits(found, order))}. ${capital(orderRemedy(found, order))}.`
      : data.classes === undefined
        ? 'Say more clearly what the classes mean (teacher.task, teacher.classNotes), or take another model. To teach what it says all the same: teacher.atChance: warn.'
        : 'No other order of its classes fits better. Check that it was trained for these classes and on such inputs, and that its tokenizer is its own. To teach what it says all the same: teacher.atChance: warn.',
  });
}

function chanceProblem({ skill, labels }: Found): string {
  return `the teacher is no better than chance: it is right on ${percent(skill.accuracy)} of ${skill.samples} samples in ${labels.length} classes, where its answers in random order would be right on ${percent(skill.chance)}`;
}

function fits({ skill }: Found, { rightAfter }: BetterOrder): string {
  return `with another order of its classes it is right on ${percent(rightAfter / skill.samples)}, not ${percent(skill.accuracy)}`;
}

/** The order of the teacher's outputs that fits, as a recipe says it. */
function orderRemedy({ labels, classes }: Found, { answerOf }: BetterOrder): string {
  if (!classes) return 'check the labels of these classes';
  const named: string[] = [];
  answerOf.forEach((answer, k) => {
    named[classes.outputs[answer] as number] = labels[k] as string;
  });
  return `if that is their order, say so: teacher.labels: [${named.map(yamlText).join(', ')}]`;
}

function yamlText(text: string): string {
  return /^[A-Za-z][\w -]*\w$/.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** What the teacher answers to labelled validation samples, by truth and answer; of many, some from all buckets. */
async function countAnswers(run: RunContext, data: TaskData, file: string) {
  const { validation } = data.dataset.splits;
  const classes = data.dataset.labels.length;
  const counts = new Float64Array(classes * classes);
  const every = Math.max(1, Math.ceil(validation.size / CHECKED_SAMPLES));
  const total = Math.ceil(validation.size / every);
  const batches = function* () {
    for (const [bucket, { size }] of validation.buckets.entries()) {
      const chosen = Array.from({ length: Math.ceil(size / every) }, (_, i) => i * every);
      yield* chosenBatches(validation, bucket, chosen, TEACHER_BATCH);
    }
  };
  const answered: AnsweredBatch[] = [];
  const bound = memoryBound(run, data, file);
  const labeller = await openLabeller(run, data.task, file, data.teacherTitle, { parallel: true, bound });
  const { checkInterrupted } = run;
  try {
    let done = 0;
    for await (const [batch, { logits }] of askAll(labeller, batches(), ['logits'], { checkInterrupted })) {
      checkInterrupted();
      const answers = {
        type: 'float32' as const,
        dims: [batch.filled, classes],
        data: logits as Float32Array,
      };
      for (const { label, answer } of readLogits(answers, batch)) counts[label * classes + answer]! += 1;
      if (every === 1) answered.push({ logits: answers.data, samples: batch.filled });
      done += batch.filled;
      const task = 'measuring it on labelled samples';
      run.emit({ type: 'progress', stage: 'teacher', task, done, total, unit: data.task.unit });
    }
    return { counts, answered };
  } finally {
    await labeller.close();
  }
}
