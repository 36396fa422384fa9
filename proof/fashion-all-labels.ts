import { accuracyOf, type RunResult } from '../src/index.ts';
import { modelTable } from './compare-models.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { numbers, percents, spreadOf } from './statistics.ts';

/** recipes/fashion-all-labels.yaml: what a teacher is worth on images that all have their labels. */
export const fashionAllLabels: Proof = {
  name: 'fashion-all-labels',
  title: 'Fashion-MNIST, every label',
  async run(log) {
    const runs: RunResult[] = [];
    for (const seed of SEEDS)
      runs.push(
        await distilRecipe({
          recipe: 'fashion-all-labels',
          name: 'fashion-all-labels',
          seed,
          timingSeconds: 0.3,
          log,
        }),
      );
    const students = runs.map(({ student }) => accuracyOf(student));
    const int8 = runs.map(({ student, studentInt8 }) => accuracyOf(studentInt8) - accuracyOf(student));
    const gains = runs.map(
      ({ student, baseline }) => accuracyOf(student) - (baseline ? accuracyOf(baseline) : Number.NaN),
    );
    // The int8 file is the one that ships.
    const shipped = runs.map(({ studentInt8 }) => accuracyOf(studentInt8));
    const speedups = runs.map(
      ({ teacher, studentInt8 }) =>
        (teacher?.latencyMs.one ?? Number.NaN) / (studentInt8?.latencyMs.one ?? Number.NaN),
    );
    const parameters = runs[0]?.student.parameters ?? 0;
    return {
      table: modelTable(runs, 'image'),
      text:
        `Mean ± standard deviation over ${runs.length} seeds of the student, which has ${parameters.toLocaleString('en')} parameters; the teacher comes along (models/fashion-resnet), and is asked and timed in float32. ` +
        `Student and baseline see the same 55,000 images with their labels for as many epochs. With the teacher it has ${percents(gains)} points more than without; int8 changes it by ${percents(int8)}.`,
      claims: [
        {
          text: `students have at least 93.5 % (${percents(students)})`,
          holds: spreadOf(students).mean >= 0.935,
        },
        {
          text: `with at least 91.7 % (${percents(shipped)}) the int8 file answers one image at least 6.8 times faster than the teacher in float32 (${numbers(speedups, 1)})`,
          holds: spreadOf(shipped).mean >= 0.917 && spreadOf(speedups).mean >= 6.8,
        },
        {
          text: `int8 loses at most 0.2 points (${percents(int8)})`,
          holds: spreadOf(int8).mean >= -0.002,
        },
        {
          text: `the teacher is worth more than the spread, where every image has its label (${percents(gains)})`,
          holds: spreadOf(gains).mean > spreadOf(gains).deviation,
        },
      ],
    };
  },
};
