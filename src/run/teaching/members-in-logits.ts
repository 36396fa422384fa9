import { askAll } from '../../teachers/ask-all.ts';
import { logitsOfProbabilities, probabilityForm } from '../../teachers/class-logits.ts';
import { type Member, memberOutput, sideBySide } from '../../teachers/several/combine.ts';
import type { RunContext } from '../context/run-context.ts';
import { type MembersData, openMembers } from './ask-members.ts';
import { formInWords, fromEveryBucket } from './examine-teacher.ts';

/**
 * Several teachers, each with logits as its output: what looks like probabilities on some samples, although no operator of the
 * model says so, is brought to logits, with a warning. A softmax of probabilities would make a teacher that is hardly ever sure.
 */
export async function membersInLogits(
  run: RunContext,
  members: readonly Member[],
  titles: readonly string[],
  data: MembersData,
): Promise<readonly Member[]> {
  const outputs = members.map((_, i) => memberOutput(i));
  const { validation, train } = data.dataset.splits;
  const labeller = await openMembers(run, sideBySide(members), data, titles);
  const answers = outputs.map((): number[] => []);
  const classes = outputs.map((output) => Number(labeller.outputs[output]?.dims[0] ?? 0));
  try {
    const { checkInterrupted } = run;
    const batches = fromEveryBucket(validation.size > 0 ? validation : train);
    for await (const [, said] of askAll(labeller, batches, outputs, { checkInterrupted })) {
      checkInterrupted();
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
