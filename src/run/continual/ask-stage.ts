import type { LabelSpace } from '../../knowledge/label-space.ts';
import { artifact } from '../context/artifact.ts';
import { DATA } from '../stages/data.ts';
import { labelWith } from '../stages/label.ts';
import { stage } from '../stages/stage.ts';
import { TEACHER } from '../stages/teacher.ts';
import { tellConstantAnswers } from '../teaching/constant-answers.ts';

export const TASK_ANSWERS = artifact<LabelSpace>('task-answers');

/** What the recipe's teacher says of the labelled samples: only those are learnt from. */
export const askStage = stage({
  name: 'label',
  about: 'the teacher answers every labelled sample, once',
  needs: { data: DATA, teacher: TEACHER },
  makes: TASK_ANSWERS,
  title: (_, { data }) => `Ask the teacher about the labelled ${data.task.unit}`,
  async run(run, { data, teacher }) {
    const { unit } = data.task;
    const split = data.dataset.splits.labelled;
    const how = { stage: 'label', split, task: 'labelling' } as const;
    const labels = await labelWith(run, data, teacher, teacher.labellingFile, how);
    const { space, labelled, reused, answers } = labels;
    tellConstantAnswers(run, data.heads, split, { answers, unit });
    return {
      value: space,
      summary: `${labelled} ${unit} labelled, ${reused} answers were in the store`,
    };
  },
  plan: async () => undefined,
});
