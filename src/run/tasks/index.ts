import { modalitiesOf } from '../../recipe/misplaced-kinds.ts';
import type { Task } from '../context/task.ts';
import { anySamples } from './any-samples.ts';
import { clips } from './clips.ts';
import { openColumns } from './columns.ts';
import { images } from './images.ts';
import { pairs } from './pairs.ts';
import type { RecipeRun, SampleKind } from './sample-kind.ts';
import { openSeveral, severalChoice } from './several-teachers.ts';
import { texts } from './texts.ts';

/** The kinds of samples of which more is known than their columns. A new one is a file beside these, and an entry here. */
const SAMPLE_KINDS: readonly SampleKind[] = [texts, images, clips, pairs];

/** Opens what the recipe's task needs before its data: its teacher, its tokenizer. */
export async function openTask(run: RecipeRun): Promise<Task> {
  // Loaded where it is used: pages do not pay for it before.
  const { requireStatedForm } = await import('../../recipe/student-form.ts');
  requireStatedForm(run.recipe);
  const modalities = modalitiesOf(run.recipe).split('+').sort().join('+');
  const kind = SAMPLE_KINDS.find(({ reads }) => reads === modalities);
  if (!kind) return anySamples(run, 'samples', await openColumns(run));
  const several = severalChoice(run.recipe);
  return anySamples(run, kind.unit, several ? await openSeveral(kind, run, several) : await kind.open(run));
}
