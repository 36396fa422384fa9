import { artifact } from '../context/artifact.ts';
import { isCompared } from '../context/compared.ts';
import { hasLabels } from '../heads/recipe-heads.ts';
import { planBaseline } from '../planning/student-stages.ts';
import type { TrainedStudent } from '../training/trained-student.ts';
import { DATA } from './data.ts';
import { stage } from './stage.ts';
import { train } from './train.ts';

export const BASELINE = artifact<TrainedStudent>('baseline');

/** Trains the same student, from the same start, on the labels alone. */
export const baselineStage = stage({
  name: 'baseline',
  about: 'the same student learns from the labels alone',
  needs: { data: DATA },
  makes: BASELINE,
  applies: (recipe, options) => isCompared(recipe, options) && hasLabels(recipe),
  title: () => 'Train the baseline: the student without its teacher',
  run: (run, { data }) => train(run, data, { stage: 'baseline', lessons: null }),
  plan: planBaseline,
});
