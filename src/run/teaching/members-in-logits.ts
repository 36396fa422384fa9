import type { Dataset } from '../../data/dataset.ts';
import type { Split } from '../../data/split.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { logitsOfProbabilities, probabilityForm } from '../../teachers/class-logits.ts';
import { type Member, memberOutput, sideBySide } from '../../teachers/several/combine.ts';
import type { RunContext } from '../context/run-context.ts';
import { type LabellingInputs, openLabeller } from './ask-teacher.ts';
import { formInWords, fromEveryBucket } from './examine-teacher.ts';

/**
 * Several teachers, each with logits as its output: what looks like probabilities on some samples, although no operator of the
 * model says so, is brought to logits, with a warning. A softmax of probabilities would make a teacher that is hardly ever sure.
 */
export async function membersInLogits(
  run: RunContext,
  members: readonly Member[],
  titles: readonly string[],
  { dataset, task }: { readonly dataset: Pick<Dataset<Split>, 'splits'>; readonly task: LabellingInputs },
): Promise<readonly Member[]> {
  const outputs = members.map((_, i) => memberOutput(i));
  const { validation, train } = dataset.splits;
  const labeller = await openLabeller(run, task, writeModel(sideBySide(members)), titles.join(' and '));
  const answers = outputs.map((): number[] => []);
  const classes = outputs.map((output) => Number(labeller.outputs[output]?.dims[0] ?? 0));
  try {
    for (const batch of fromEveryBucket(validation.size > 0 ? validation : train)) {
      run.checkInterrupted();
      const said = await labeller.label(batch, outputs);
      for (const [i, output] of outputs.entries())
        for (const value of said[output] as Float32Array) answers[i]?.push(value);
    }
  } finally {
    await labeller.close();
  }
  return members.map((member, i) => {
    const form = probabilityForm(Float32Array.from(answers[i] as number[]), classes[i] as number);
    if (!form) return member;
    run.warn(formInWords(form, `${titles[i]}'s`));
    return { ...member, model: logitsOfProbabilities(member.model, form) };
  });
}
