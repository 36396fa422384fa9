import { quantizableLayers } from '../../compress/quantizable-layers.ts';
import {
  type QuantizedWithinDrop,
  quantizeTowardsDrop,
  quantizeWithinDrop,
  type WithinDropOptions,
} from '../../compress/quantize-within-drop.ts';
import { type FurtherPrecision, fileOf, PRECISIONS } from '../../export/precisions.ts';
import { type Difference, dropVerdict, exceeds } from '../../metrics/interval.ts';
import type { Graph } from '../../onnx/graph.ts';
import { percent } from '../../percent.ts';
import { wantedPrecisions } from '../../recipe/export.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { comparedForms } from './compared-forms.ts';
import { quantizerOf } from './quantizer.ts';

/**
 * The student in int8, where the recipe asks for it. Which layers are, is decided on the validation split (the test split only
 * measures). Layers that lose too much stay in float32: that costs little, so the estimate is enough for it. The run fails, with
 * their names, only when int8 then still loses more than allowed by its whole interval: that costs everything, and has to be
 * certain.
 */
export async function int8Student(
  run: RunContext,
  data: TaskData,
  model: Graph,
): Promise<QuantizedWithinDrop | null> {
  const { int8 } = run.recipe.export;
  if (!int8) return null;
  const { options, tell, dropOf } = await towardsDrop(run, data, model, { precision: 'int8', ...int8 });
  const isBeyond = (graph: Graph) => dropVerdict(dropOf(graph), int8.maxDrop) === 'beyond';
  return tell(await quantizeWithinDrop({ ...options, isBeyond }));
}

/** The student in a further precision. */
export interface FurtherStudent extends QuantizedWithinDrop {
  readonly precision: FurtherPrecision;
  readonly maxDrop: number;
}

/**
 * The student in the further precisions that the recipe asks for, with layers that lose too much in float32. Where that is not
 * enough, the gate on the test split decides: no run ends for a file beside the others.
 */
export async function furtherStudents(
  run: RunContext,
  data: TaskData,
  model: Graph,
): Promise<FurtherStudent[]> {
  const made: FurtherStudent[] = [];
  for (const wanted of wantedPrecisions(run.recipe.export)) {
    const { options, tell } = await towardsDrop(run, data, model, wanted);
    const { precision, maxDrop } = wanted;
    const { title } = PRECISIONS[precision];
    if (quantizableLayers(options.quantize([])).length === quantizableLayers(model).length) {
      run.warn(
        `no layer of the student would take fewer bytes in ${title}: no ${fileOf(precision)} is written (export.${precision})`,
      );
      continue;
    }
    const { best } = await quantizeTowardsDrop(options);
    made.push({ ...tell(best), precision, maxDrop });
  }
  return made;
}

/** How a student is quantised so that it loses no more than it may, and what the person is told of it. */
async function towardsDrop(
  run: RunContext,
  data: TaskData,
  model: Graph,
  { precision, maxDrop }: { readonly precision: 'int8' | FurtherPrecision; readonly maxDrop: number },
): Promise<{
  readonly options: WithinDropOptions;
  readonly tell: (result: QuantizedWithinDrop) => QuantizedWithinDrop;
  readonly dropOf: (graph: Graph) => Difference;
}> {
  const { evaluate, dropOf } = comparedForms(run, model, data);
  const options: WithinDropOptions = {
    layers: quantizableLayers(model).map(({ name }) => name),
    quantize: await quantizerOf(run, data, model, precision),
    evaluate,
    reference: await evaluate(model),
    maxDrop,
  };
  const tell = (result: QuantizedWithinDrop) => {
    const samples = `${data.dataset.splits.validation.size} validation ${data.task.unit}`;
    const allowed = `${percent(maxDrop, 2)} (export.${precision}.maxDrop)`;
    const { title } = PRECISIONS[precision];
    if (result.excluded.length > 0) {
      run.warn(
        `with all layers in ${title} the student lost more than ${allowed} on the ${samples}; these stayed in float32: ${result.excluded.join(', ')}`,
      );
    }
    if (exceeds(result.drop, maxDrop)) {
      const { low, high } = dropOf(result.graph);
      run.warn(
        `the student in ${title} lost ${percent(result.drop, 2)} on the ${samples} (95 % interval: ${percent(low, 2)} to ${percent(high, 2)}); ${
          dropVerdict({ low, high }, maxDrop) === 'beyond'
            ? `more than ${allowed}`
            : `they are too few to tell whether that is more than ${allowed}`
        }`,
      );
    }
    return result;
  };
  return { options, tell, dropOf };
}
