import { cancel, group, intro, outro, select, text } from '@clack/prompts';
import { LimbeckError } from '../../errors.ts';
import { type TaskName, taskOf } from '../../recipe/schema.ts';
import { kindsOf, settingsOf } from './choices.ts';
import type { Answers } from './draft.ts';

const NO_TEACHER = 'none';

/** Asks a person for what a recipe needs. Throws LimbeckError `run.interrupted` when they leave. */
export async function askAnswers(known: Partial<Answers> & { name: string }): Promise<Answers> {
  intro('A new recipe');
  const onCancel = () => {
    cancel('Nothing was written.');
    throw new LimbeckError('run.interrupted', 'the questions were left');
  };
  const options = (section: Parameters<typeof kindsOf>[0], task?: TaskName) =>
    kindsOf(section, task).map(({ value, hint }) => ({ value, label: value, ...(hint && { hint }) }));
  const { name, kind } = await group(
    {
      name: () => text({ message: 'What is it called?', initialValue: known.name, validate: required }),
      kind: () => select({ message: 'Where is the data?', options: options('data.source') }),
    },
    { onCancel },
  );
  const source: Answers['source'] = { kind };
  const task = taskOf(kind);
  for (const setting of settingsOf(kind)) {
    const { value } = await group(
      {
        value: () =>
          text({
            message: `${setting.key}: ${setting.description}`,
            ...(setting.default !== undefined && { initialValue: setting.default }),
            ...(setting.required && { validate: required }),
          }),
      },
      { onCancel },
    );
    if (value) source[setting.key] = value;
  }
  const rest = await group(
    {
      teacher: () =>
        select({
          message: 'Who teaches?',
          options: [
            ...options('teacher', task),
            { value: NO_TEACHER, label: 'nobody', hint: 'for limbeck train' },
          ],
        }),
      student: () => select({ message: 'Who is taught?', options: options('student', task) }),
      labels: () =>
        text({
          message: "How many labels of each class may be used? ('all', or a number)",
          initialValue: 'all',
          validate: (value = '') => (/^(all|[1-9]\d*)$/.test(value) ? undefined : "'all', or a whole number"),
        }),
    },
    { onCancel },
  );
  outro('That is all; the other settings start with their defaults.');
  return {
    name,
    source,
    teacher: rest.teacher === NO_TEACHER ? undefined : rest.teacher,
    student: rest.student,
    labelsPerClass: rest.labels === 'all' ? 'all' : Number(rest.labels),
    set: known.set ?? [],
  };
}

function required(value: string | undefined): string | undefined {
  return value?.trim() ? undefined : 'It is needed.';
}
