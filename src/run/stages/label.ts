import type { Split } from '../../data/split.ts';
import type { StageName } from '../../events.ts';
import type { LabelPlan } from '../../knowledge/label.ts';
import { EARLIER_LOGITS_ENCODING } from '../../knowledge/label-encoding.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { spaceInfo } from '../../knowledge/space-info.ts';
import { knowledgeRequests } from '../../objectives/index.ts';
import type { Head } from '../../targets/head.ts';
import type { KnowledgeRequest } from '../../teachers/knowledge-request.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { artifact, optional } from '../context/artifact.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import type { RunContext } from '../context/run-context.ts';
import type { Task, TaskData } from '../context/task.ts';
import { keepsLogits } from '../heads/answer-dims.ts';
import { objectiveContext } from '../knowledge/pair-context.ts';
import { planLabels } from '../planning/answer-stages.ts';
import { addedSamples } from '../teaching/added-samples.ts';
import { askModel, openModel } from '../teaching/ask-model.ts';
import { tellConstantAnswers } from '../teaching/constant-answers.ts';
import { type TapLabels, tappedSplit, tapSamples } from '../teaching/label-taps.ts';
import type { Labels, Lessons } from '../teaching/lessons.ts';
import { teachingForm } from '../teaching/teaching-form.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';
import { DATA } from './data.ts';
import { KNOWLEDGE_GRAPH } from './knowledge-graph.ts';
import { stage } from './stage.ts';
import { TEACHER } from './teacher.ts';
import { WRITTEN } from './write.ts';

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
  needs: { data: DATA, teacher: TEACHER, graph: optional(KNOWLEDGE_GRAPH), written: optional(WRITTEN) },
  makes: LESSONS,
  title: (_, { data }) => `Label the training ${data.task.unit}`,
  async run(run, { data: own, teacher: ready, graph, written }) {
    const read = asTeacherReads(own);
    const isAlone = written !== undefined && run.recipe.data.written?.alone === true;
    const data = isAlone ? { ...read, asked: written.split } : read;
    const context = objectiveContext(run, data, ready, graph);
    const requests = knowledgeRequests(run.recipe.objective, context);
    const { teacher, innerFile } = await teachingForm(run, data, ready, requests);
    // One pass answers and is looked into, where both are asked of the same form.
    const together = innerFile === teacher.labellingFile ? requests : [];
    const { unit } = data.task;
    const { folder } = run;
    const earlier = folder.finding<LabelFinding>('label');
    let answersBefore = earlier?.answersBefore ?? 0;
    let reused = earlier?.reused;
    const value = await labelWith(run, data, teacher, teacher.labellingFile, {
      stage: 'label',
      split: data.asked,
      task: 'labelling',
      requests: together,
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
    for (const message of own.teacherReads?.told?.() ?? []) run.emit({ type: 'log', level: 'info', message });
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
    const inside =
      together.length > 0
        ? value.inside
        : await tapSamples(run, data, teacher, requests, tappedSplit(data.asked), innerFile);
    const made = await addedSamples(run, data, teacher, value.space);
    // Texts that are taught alone were asked about already.
    const added = written && !isAlone ? [...made, written.split] : made;
    for (const split of added) {
      const task = `labelling ${split.name}`;
      const how = { stage: 'label', split, task, requests: together } as const;
      await labelWith(run, data, teacher, teacher.labellingFile, how);
      if (together.length === 0)
        await tapSamples(run, data, teacher, requests, tappedSplit(split), innerFile);
    }
    const more = added.map(({ name, size }) => `; ${size} ${name} added`).join('');
    const spaces = new Map([...value.answers, ...inside.spaces]);
    const repeated = value.repeated > 0 ? `, ${value.repeated} ${unit} occur more than once` : '';
    const looked =
      requests.length > 0
        ? `; ${inside.teacherCalls} looked into (${[...inside.spaces.keys()].join(', ')})`
        : '';
    return {
      value: {
        answers: { ...value, precision: teacher.precision, spaces, added: isAlone ? [written.split] : added },
        context,
        judge: () =>
          openModel(run, data, teacher, {
            file: teacher.labellingFile,
            outputs: data.heads.map(({ output }) => output),
            requests,
          }),
      },
      summary: `${value.labelled} ${unit} labelled${rate}, ${value.reused} answers were in the store${repeated}${looked}${more}`,
    };
  },
  plan: planLabels,
});

/**
 * Labels a split with one of the teacher's model files: its outputs and, where inner values are asked for with them, those by
 * the same runs of the model.
 */
export async function labelWith(
  run: RunContext,
  data: Pick<TaskData, 'task' | 'heads' | 'dataset' | 'teacherReads'>,
  teacher: TrainedTeacher,
  file: string,
  how: {
    readonly stage: StageName;
    readonly split: Split;
    readonly task: string;
    readonly requests?: readonly KnowledgeRequest[];
    /** Called before the teacher is asked, with what its answers of the main output lack. */
    readonly onPlan?: (space: LabelSpace, plan: LabelPlan) => void;
  },
): Promise<Labels & { readonly inside: TapLabels }> {
  const { task, heads } = data;
  const nothing: TapLabels = { spaces: new Map(), teacherCalls: 0 };
  if (teacher.hosted) {
    // Loaded where it is used: pages do not pay for it.
    const { askHosted } = await import('../teaching/ask-hosted.ts');
    return { ...(await askHosted(run, { task, heads }, teacher.hosted, how)), inside: nothing };
  }
  const { split, onPlan, requests = [] } = how;
  const outputs = heads.map(({ output }) => output);
  const main = (heads[0] as Head).output;
  const lacks = ({ missingOf }: LabelPlan, taps: readonly string[]) =>
    Math.max(0, ...taps.map((tap) => missingOf.get(tap) as number));
  const { result, plan, spaces } = await askModel(
    run,
    data,
    teacher,
    { file, outputs, requests },
    {
      stage: how.stage,
      task: how.task,
      samples: `${split.name} ${task.unit}`,
      batches: (rows) => splitBatches(split, rows),
      onSpaces: async (found) => {
        if (keepsLogits(heads)) await tellEarlierAnswers(run, found.get(main) as LabelSpace, task);
      },
      onPlan: (told, found) =>
        onPlan?.(found.get(main) as LabelSpace, { ...told, missing: lacks(told, outputs) }),
    },
  );
  const space = spaces.get(main) as LabelSpace;
  const answers = new Map([...spaces].filter(([tap]) => outputs.includes(tap)));
  const missing = lacks(plan, outputs);
  // Where no answer was missing the teacher was looked into alone.
  const labelled = missing > 0 ? result.labelled : 0;
  const taps = requests.map(({ tap }) => tap);
  return {
    ...result,
    labelled,
    teacherCalls: labelled,
    reused: plan.samples - missing,
    repeated: Math.max(0, missing - labelled),
    space,
    answers,
    inside: {
      spaces: new Map([...spaces].filter(([tap]) => taps.includes(tap))),
      teacherCalls: lacks(plan, taps) > 0 ? result.teacherCalls : 0,
    },
  };
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
