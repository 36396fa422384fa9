import { createNodeEngine } from '../../engine/node.ts';
import { nextTokenTerm } from '../../objectives/next-token.ts';
import { float32, int64 } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { adamw } from '../../train/adamw.ts';
import { firstContents } from '../../train/carried.ts';
import { compileStep } from '../../train/compile-step.ts';
import type { Student } from '../student.ts';

/** The loss of each step in which a decoder learns two short texts by their next tokens. */
export async function nextTokenLosses(student: Student, steps: number, rate: number): Promise<number[]> {
  const sizes = { batch: 2, sequence: 5 };
  const step = compileStep({ student, sizes, terms: [nextTokenTerm({ weight: 1 })], optimizer: adamw() });
  const session = await createNodeEngine().load(writeModel(step.graph));
  let state = firstContents(step.carried);
  const batch = {
    input_ids: int64([1, 2, 3, 4, 5, 5, 4, 3, 3, 3], [2, 5]),
    attention_mask: int64([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], [2, 5]),
    row_weights: float32([1, 1]),
  };
  const losses: number[] = [];
  for (let i = 1; i <= steps; i++) {
    const out = await session.run({
      ...state,
      ...batch,
      learning_rate: float32([rate], []),
      step: float32([i], []),
    });
    state = Object.fromEntries(Object.keys(state).map((name) => [name, out[`${name}/next`]!]));
    losses.push(Number(out.loss!.data[0]));
  }
  await session.release();
  return losses;
}
