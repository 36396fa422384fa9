import type { Split } from '../../data/split.ts';
import type { StageName } from '../../events.ts';
import { type LabelPlan, labelSplit } from '../../knowledge/label.ts';
import { EARLIER_LOGITS_ENCODING, LOGITS_ENCODING } from '../../knowledge/label-encoding.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { spaceInfo } from '../../knowledge/space-info.ts';
import { knowledgeRequests } from '../../objectives/index.ts';
import type { Head } from '../../targets/head.ts';
import type { TeacherOutput } from '../../teachers/teacher.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { artifact, optional } from '../context/artifact.ts';
import type { RunContext } from '../context/run-context.ts';
import type { Task, TaskData } from '../context/task.ts';
import { encodingOf } from '../heads/answer-dims.ts';
import { objectiveContext } from '../knowledge/pair-context.ts';
import { planLabels } from '../planning/answer-stages.ts';
import { addedSamples } from '../teaching/added-samples.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { tellConstantAnswers } from '../teaching/constant-answers.ts';
import { tappedSplit, tapSamples } from '../teaching/label-taps.ts';
import type { Labels, Lessons } from '../teaching/lessons.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';
import { DATA } from './data.ts';
import { KNOWLEDGE_GRAPH } from './knowledge-graph.ts';
import { stage } from './stage.ts';
import { TEACHER } from './teacher.ts';
/**
 * What a run remembers of its labelling: how many answers there were before, so that those of a part that was killed
 * count as asked for by this run; how many it asked for, once all are there.
 */
export interface LabelFinding {
  readonly answersBefore: number;
  readonly teacherCalls: number | null;
  /** Training samples whose answers were in the store before; runs of earlier versions did not count them. */
  readonly reused?: number;
}

export const LESSONS = artifact<Lessons>('lessons');

/** Asks the teacher about every training sample that the store has no answer for. */
export const labelStage = stage({
  name: 'label',
  about: 'the teacher answers every training sample, once',
  needs: { data: DATA, teacher: TEACHER, graph: optional(KNOWLEDGE_GRAPH) },
  makes: LESSONS,
  title: (_, { data }) => `Label the training ${data.task.unit}`,
  async run(run, { data, teacher, graph }) {
    const context = objectiveContext(run, data, teacher, graph);
    const requests = knowledgeRequests(run.recipe.objective, context);
    const { unit } = data.task;
    const { folder } = run;
    const earlier = folder.finding<LabelFinding>('label');
    let answersBefore = earlier?.answersBefore ?? 0;
    let reused = earlier?.reused;
    const value = await labelWith(run, data, teacher, teacher.labellingFile, {
      stage: 'label',
      split: data.asked,
      task: 'labelling',
      onPlan({ count }, { samples, missing }) {
        if (earlier) return;
        answersBefore = count;
        reused = samples - missing;
        folder.finish('label', { answersBefore, teacherCalls: null, reused } satisfies LabelFinding);
      },
    });
    const rate =
      value.seconds > 0 && value.labelled > 0
        ? ` (${Math.round(value.labelled / value.seconds)} ${unit}/s, ${Math.round((100 * value.secondsInTeacher) / value.seconds)} % of the time in the teacher)`
        : '';
    const teacherCalls =
      typeof earlier?.teacherCalls === 'number'
        ? earlier.teacherCalls + value.teacherCalls
        : Math.max(value.space.count - answersBefore, value.teacherCalls);
    folder.finish('label', { answersBefore, teacherCalls, reused } satisfies LabelFinding);
    if (data.taughtTruth) {
      const { validation } = data.dataset.splits;
      const task = 'asking about what nobody else knows';
      const how = { stage: 'label', split: validation, task } as const;
      const { answers } = await labelWith(run, data, teacher, teacher.labellingFile, how);
      data.taughtTruth.tell('validation', answers);
    }
    const { answers } = value;
    tellConstantAnswers(run, data.heads, data.asked, { answers, unit });
    if (teacher.hosted) {
      const { countUnanswered } = await import('../teaching/ask-hosted.ts');
      for (const space of answers.values()) countUnanswered(data.asked, space, teacher.hosted);
    }
    const inner = await tapSamples(run, data, teacher, requests, tappedSplit(data.asked));
    const added = await addedSamples(run, data, teacher, value.space);
    for (const split of added) {
      const task = `labelling ${split.name}`;
      await labelWith(run, data, teacher, teacher.labellingFile, { stage: 'label', split, task });
      await tapSamples(run, data, teacher, requests, tappedSplit(split));
    }
    const more = added.map(({ name, size }) => `; ${size} ${name} added`).join('');
    const spaces = new Map([...value.answers, ...inner.spaces]);
    const repeated = value.repeated > 0 ? `, ${value.repeated} ${unit} occur more than once` : '';
    const looked =
      requests.length > 0
        ? `; ${inner.teacherCalls} looked into (${[...inner.spaces.keys()].join(', ')})`
        : '';
    return {
      value: { answers: { ...value, spaces, added }, context },
      summary: `${value.labelled} ${unit} labelled${rate}, ${value.reused} answers were in the store${repeated}${looked}${more}`,
    };
  },
  plan: planLabels,
});

/** Labels a split with one of the teacher's model files. */
export async function labelWith(
  run: RunContext,
  { task, heads }: Pick<TaskData, 'task' | 'heads'>,
  teacher: TrainedTeacher,
  file: string,
  how: {
    readonly stage: StageName;
    readonly split: Split;
    readonly task: string;
    /** Called before the teacher is asked. */
    readonly onPlan?: (space: LabelSpace, plan: LabelPlan) => void;
  },
): Promise<Labels> {
  if (teacher.hosted) {
    // Loaded where it is used: pages do not pay for it.
    const { askHosted } = await import('../teaching/ask-hosted.ts');
    return askHosted(run, { task, heads }, teacher.hosted, how);
  }
  const { store, options } = run;
  const { stage, split } = how;
  const int8 = file !== teacher.file;
  const labeller = await openLabeller(run, task, file, `${teacher.title}${int8 ? ', int8' : ''}`);
  try {
    const { title, hash, preprocessing, outputs } = labeller;
    const encoding = encodingOf(heads);
    const answers = new Map<string, LabelSpace>();
    for (const { output } of heads) {
      const { dims } = outputs[output] as TeacherOutput;
      const tap = { title, teacher: hash, tap: output, preprocessing, dims, encoding };
      answers.set(output, await store.space(tap));
    }
    const space = answers.get((heads[0] as Head).output) as LabelSpace;
    if (encoding === LOGITS_ENCODING) await tellEarlierAnswers(run, space, task);
    const result = await labelSplit({
      teacher: labeller,
      taps: [...answers.keys()],
      split: { batches: (rows) => splitBatches(split, rows) },
      store,
      encoding,
      batchSize: TEACHER_BATCH,
      signal: options.signal,
      onPlan: (plan) => {
        how.onPlan?.(space, plan);
        const { samples, missing, bytes } = plan;
        if (missing === 0) return;
        run.emit({
          type: 'log',
          level: 'info',
          message: `${missing} of ${samples} ${split.name} ${task.unit} have no answer yet; about ${bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`} will be kept`,
        });
      },
      onProgress: ({ done, total }) =>
        run.emit({ type: 'progress', stage, task: how.task, done, total, unit: task.unit }),
    });
    return { ...result, space, answers };
  } finally {
    await labeller.close();
  }
}

/** Answers that an earlier version kept are not mixed with ours: they are asked for again, and the person is told. */
async function tellEarlierAnswers(
  { store, emit }: RunContext,
  { info }: LabelSpace,
  { unit }: Task,
): Promise<void> {
  const { id } = spaceInfo({ ...info, encoding: EARLIER_LOGITS_ENCODING });
  const earlier = (await store.list()).find((space) => space.id === id && space.samples > 0);
  if (!earlier) return;
  emit({
    type: 'log',
    level: 'info',
    message: `the store has ${earlier.samples} answers about ${unit} as an earlier version kept them, not centred; they are left as they are, and asked for again (\`limbeck store prune\` removes what is not used)`,
  });
}
