import { cancel, group, intro, note, outro, select, text } from '@clack/prompts';
import { LimbeckError } from '../../errors.ts';
import { taskOf } from '../../recipe/misplaced-kinds.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { plainLine } from '../progress/format.ts';
import { kindsOf, settingsOf } from './choices.ts';
import type { Answers } from './draft.ts';
import { type Proposal, proposeTable } from './propose.ts';

const NO_TEACHER = 'none';

/** Looks into the data that a person names. */
type Propose = (path: string) => Promise<Proposal>;

/** Asks a person for what a recipe needs. Throws LimbeckError `run.interrupted` when they leave. */
export async function askAnswers(
  known: Partial<Answers> & { name: string },
  propose: Propose,
): Promise<Answers> {
  intro('A new recipe');
  const { name, path } = await group(
    {
      name: () => text({ message: 'Name of the recipe', initialValue: known.name, validate: required }),
      path: () => text({ message: 'File or folder with the data (empty: other data)', defaultValue: '' }),
    },
    { onCancel },
  );
  const found = path ? await askColumns(path, propose) : undefined;
  const source = found?.source ?? (await askSource());
  const task = found?.task ?? taskOf(source.kind);
  const rest = await group(
    {
      teacher: () =>
        select({
          message: 'Teacher',
          ...(found?.teacher && { initialValue: found.teacher }),
          options: [
            ...options('teacher', task),
            { value: NO_TEACHER, label: 'nobody', hint: 'for limbeck train' },
          ],
        }),
      student: () =>
        select({
          message: 'Student',
          options: options('student', task),
          ...(found?.student && { initialValue: found.student }),
        }),
      labels: () =>
        text({
          message: "Labels of each class that may be used ('all', or a number)",
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
    task,
    teacher: rest.teacher === NO_TEACHER ? undefined : rest.teacher,
    student: rest.student,
    labelsPerClass: rest.labels === 'all' ? 'all' : Number(rest.labels),
    set: [
      // What belongs to another teacher or student than the proposed one is left out.
      ...(found?.set ?? []).filter(
        (one) =>
          (rest.student === found?.student || !one.startsWith('student.')) &&
          (rest.teacher === found?.teacher || !one.startsWith('teacher.')),
      ),
      ...(known.set ?? []),
    ],
  };
}

const onCancel = () => {
  cancel('Nothing was written.');
  throw new LimbeckError('run.interrupted', 'setup cancelled');
};

const options = (section: Parameters<typeof kindsOf>[0], task?: Recipe['task']) =>
  kindsOf(section, task).map(({ value, hint }) => ({ value, label: value, ...(hint && { hint }) }));

/** What the data show, and which of their columns are text and class. */
async function askColumns(path: string, propose: Propose): Promise<Proposal> {
  const proposal = await propose(path);
  const { survey, source } = proposal;
  note(proposal.seen.map(plainLine).join('\n'), plainLine(path));
  if (!survey) return proposal;
  const column = ({ name, distinct }: (typeof survey.columns)[number]) => ({
    value: name,
    label: plainLine(name),
    hint: `${distinct} values`,
  });
  const { labelField: proposed = '' } = survey.choice;
  const { textField, labelField } = await group(
    {
      textField: () =>
        select({
          message: 'Column with the text',
          options: survey.columns.filter(({ isText }) => isText).map(column),
          initialValue: survey.choice.textField,
        }),
      labelField: () =>
        select({
          message: 'Column with the class',
          options: [...survey.columns.map(column), { value: '', label: 'none' }],
          initialValue: proposed,
        }),
    },
    { onCancel },
  );
  if (textField === survey.choice.textField && labelField === proposed) return proposal;
  const { labelField: _, ...others } = survey.choice;
  const choice = { ...others, textField, ...(labelField && { labelField }) };
  return proposeTable({ ...survey, choice }, String(source.path), { saysAnswer: false });
}

/** Data that are not in a file here: those that come along, and those of a hub. */
async function askSource(): Promise<Answers['source']> {
  const { kind } = await group(
    { kind: () => select({ message: 'Where is the data?', options: options('data.source') }) },
    { onCancel },
  );
  const source: Answers['source'] = { kind };
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
  return source;
}

function required(value: string | undefined): string | undefined {
  return value?.trim() ? undefined : 'It is needed.';
}
