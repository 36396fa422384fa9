import { weighedOptions } from '../objectives/index.ts';
import type { WrittenSize } from '../size-in-bytes.ts';

interface Bounded {
  readonly teacher?: {
    readonly kind: string;
    readonly memory?: WrittenSize | undefined;
    readonly train?: string;
    readonly precision?: string;
  };
  readonly knowledge: { readonly graph: unknown; readonly layers: unknown };
  readonly objective: Parameters<typeof weighedOptions>[0];
}

/** The bound of memory that a recipe sets its teacher; undefined where there is none. */
export function teacherMemory({ teacher }: { readonly teacher?: unknown }): WrittenSize | undefined {
  return (teacher as Bounded['teacher'])?.memory;
}

/** In which precision a recipe wants its teacher to label: float32 where it runs in parts, for int8 is made of a whole model. */
export function wantedPrecision(teacher: {
  readonly precision: 'auto' | 'int8' | 'f32';
  readonly memory?: WrittenSize | undefined;
}): 'auto' | 'int8' | 'f32' {
  return teacher.memory === undefined ? teacher.precision : 'f32';
}

/** What cannot be done with a teacher that is never loaded whole. */
export function teacherMemoryProblems(recipe: Bounded): { path: string[]; message: string }[] {
  const { teacher, knowledge } = recipe;
  if (teacher?.memory === undefined) return [];
  const problems: { path: string[]; message: string }[] = [];
  const refuse = (path: string[], message: string) => problems.push({ path, message });
  if (teacher.train !== undefined && teacher.train !== 'none')
    refuse(
      ['teacher', 'train'],
      'a teacher that runs in parts (teacher.memory) is not trained: set it to none',
    );
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
