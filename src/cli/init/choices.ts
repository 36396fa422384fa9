import { choicesOf, keysOf, type SchemaNode, schemaAt } from '../../recipe/expectation.ts';
import { answersTask } from '../../recipe/meaning.ts';
import { readBy } from '../../recipe/misplaced-kinds.ts';
import { type Recipe, sharedJsonSchema } from '../../recipe/schema.ts';
import { findTask } from '../../tasks/index.ts';

export interface Choice {
  value: string;
  hint?: string;
}

/** A setting that a source needs or that depends on the person's data. */
export interface Setting {
  key: string;
  description: string;
  required: boolean;
  default?: string;
}

/** The kinds that a section of the recipe can be (in recipes of a task), with what they say of themselves. */
export function kindsOf(section: 'data.source' | 'teacher' | 'student', task?: Recipe['task']): Choice[] {
  const wanted = task === undefined ? undefined : Object.values(findTask(task)?.inputs ?? {}).join('+');
  const kinds = choicesOf(nodeOf(section)).filter(
    (kind) =>
      wanted === undefined ||
      (readBy(section, kind, wanted) && (section !== 'student' || answersTask(kind, task as string))),
  );
  return kinds.map((value) => {
    const hint = nodeOf(section, value)?.description;
    return { value, ...(hint && { hint }) };
  });
}

/** The columns that a person's own data names in its own way. */
const COLUMNS = ['textField', 'labelField'];

/** What to ask about a source: its required settings, and the columns. */
export function settingsOf(kind: string): Setting[] {
  const node = nodeOf('data.source', kind);
  const required = node?.required ?? [];
  return keysOf(node)
    .filter((key) => key !== 'kind' && (required.includes(key) || COLUMNS.includes(key)))
    .map((key) => {
      const { description = key, default: preset } = (node?.properties?.[key] ?? {}) as SchemaNode;
      return {
        key,
        description,
        required: required.includes(key),
        ...(typeof preset === 'string' && { default: preset }),
      };
    });
}

function nodeOf(section: string, kind?: string): SchemaNode | undefined {
  const path = section.split('.');
  const value = path.reduceRight<unknown>(
    (inner, key) => ({ [key]: inner }),
    kind === undefined ? 'any' : { kind },
  );
  return schemaAt(sharedJsonSchema(), path, value);
}
