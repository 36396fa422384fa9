import type { Graph } from '../../onnx/graph.ts';
import type { BiasCorrection } from '../../report/result.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { isOneClass, mainMetric } from '../heads/head-metrics.ts';
import { type Int8Quantizer, int8Forms } from '../measuring/int8.ts';
import { comparedForms, fineScore } from './compared-forms.ts';

/** A student's quantiser, and what was found of correcting its biases, where the recipe wants that to be tried. */
export interface StudentInt8 {
  readonly quantize: Int8Quantizer;
  readonly biasCorrection?: BiasCorrection;
}

/**
 * A student in int8 as its recipe's export wants it. With `correctBiases` its biases are corrected where the corrected file has the better
 * cross-entropy on the validation split and no lower accuracy, all layers being in int8: the same decision whenever it is asked for.
 */
export async function studentInt8(run: RunContext, data: TaskData, model: Graph): Promise<StudentInt8> {
  const { engine, recipe, checkInterrupted } = run;
  const { int8 } = recipe.export;
  const { plain, corrected } = await int8Forms({
    engine,
    model,
    data,
    seed: recipe.seed,
    weights: int8 || {},
    isBounded: int8 !== false && int8.maxBytes !== undefined,
    checkInterrupted,
  });
  if (int8 === false || !int8.correctBiases || !corrected) return { quantize: plain };
  const quantize = await corrected();
  const score = await fineScore(run, data, model);
  const [own, other] = [plain(), quantize()];
  const gain = (await score(other)) - (await score(own));
  // A better cross-entropy may go with a worse accuracy, where all answers have become less certain.
  const { evaluate } = comparedForms(run, model, data);
  const applied = gain > 0 && (await evaluate(other)) >= (await evaluate(own));
  const measure = isOneClass(data.heads) ? 'cross-entropy' : mainMetric(data.heads).title;
  run.emit({
    type: 'log',
    level: 'info',
    message: `int8: with corrected biases the ${measure} on the validation split is ${Math.abs(gain).toPrecision(3)} ${gain > 0 ? 'better' : 'worse'}: they are ${applied ? '' : 'not '}corrected`,
  });
  return {
    quantize: applied ? quantize : plain,
    biasCorrection: { applied, measure, ...(Number.isFinite(gain) && { gain }) },
  };
}
