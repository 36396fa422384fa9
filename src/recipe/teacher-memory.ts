import { weighedOptions } from '../objectives/index.ts';
import { sizeInBytes, type WrittenSize } from '../size-in-bytes.ts';

interface BoundedTeacher {
  readonly kind: string;
  readonly memory?: WrittenSize | undefined;
  readonly train?: string;
  readonly precision?: string;
  /** Of several: each of them (`membersOf`). */
  readonly teachers?: readonly unknown[];
}

interface Bounded {
  readonly teacher?: BoundedTeacher;
  readonly knowledge: { readonly graph: unknown; readonly layers: unknown };
  readonly objective: Parameters<typeof weighedOptions>[0];
}

function membersOf({ teachers = [] }: BoundedTeacher): readonly BoundedTeacher[] {
  return teachers as readonly BoundedTeacher[];
}

/**
 * The bound of memory that a recipe sets its teacher; undefined where there is none. Several teachers run as one model: the least
 * that one of them may take is the bound of all.
 */
export function teacherMemory({ teacher }: { readonly teacher?: unknown }): WrittenSize | undefined {
  const own = (teacher ?? {}) as BoundedTeacher;
  const all = [own, ...membersOf(own)].flatMap(({ memory }) => memory ?? []);
  return all.toSorted((a, b) => sizeInBytes(a) - sizeInBytes(b))[0];
}

/** In which precision a recipe wants its teacher to label: float32 where it runs in parts, for int8 is made of a whole model. */
export function wantedPrecision(teacher: {
  readonly precision: 'auto' | 'int8' | 'f32';
}): 'auto' | 'int8' | 'f32' {
  return teacherMemory({ teacher }) === undefined ? teacher.precision : 'f32';
}

/** What cannot be done with a teacher that is never loaded whole. */
export function teacherMemoryProblems(recipe: Bounded): { path: (string | number)[]; message: string }[] {
  const { teacher, knowledge } = recipe;
  if (!teacher || teacherMemory({ teacher }) === undefined) return [];
  const problems: { path: (string | number)[]; message: string }[] = [];
  const refuse = (path: (string | number)[], message: string) => problems.push({ path, message });
  const requireUntrained = ({ memory, train = 'none' }: BoundedTeacher, path: (string | number)[]) => {
    if (memory === undefined || train === 'none') return;
    refuse([...path, 'train'], 'a teacher that runs in parts (memory) is not trained: set it to none');
  };
  requireUntrained(teacher, ['teacher']);
  for (const [i, member] of membersOf(teacher).entries())
    requireUntrained(member, ['teacher', 'teachers', i]);
  if (teacher.precision === 'int8')
    refuse(
      ['teacher', 'precision'],
      'the int8 form is made of a whole teacher, which teacher.memory does not allow: set it to f32, or leave it out',
    );
  if (weighedOptions(recipe.objective, 'boundary').some(({ target }) => target === 'teacher'))
    refuse(
      ['objective'],
      'a whole teacher would be part of the training step, which teacher.memory does not allow: take its kept answers (boundary.target: kept)',
    );
  if (knowledge.graph || knowledge.layers === 'graph')
    refuse(
      ['knowledge', knowledge.graph ? 'graph' : 'layers'],
      'the knowledge graph is drawn from gradients through the whole teacher, which teacher.memory does not allow: leave it out',
    );
  return problems;
}
