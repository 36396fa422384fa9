import type { Graph } from '../../onnx/graph.ts';
import { usedValues } from '../../onnx/used-values.ts';
import type { GatedRuntime } from '../../recipe/gate.ts';
import type { RuntimeBound } from '../../report/runtime-gates.ts';
import { runOn } from '../../runtimes/index.ts';
import { layerTimes } from '../../runtimes/layer-times.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { answersOf, shippedCalls } from '../measuring/shipped-calls.ts';
import type { MeasuredFile } from './measure-runtime.ts';

type Layers = NonNullable<RuntimeBound['layers']>;

/** So many layers are named, the costliest ones. */
const NAMED_LAYERS = 5;
/** Calls that are looked into. */
const CALLS = 30;
const MOST_SECONDS = 120;

/**
 * The layers that take most of a call in a runtime, as ONNX Runtime itself noted there.
 *
 * @param network whose nodes the layers are: a quantised file has others, and one with exits has some in branches
 */
export async function slowestLayers(
  run: Pick<RunContext, 'options' | 'emit'>,
  data: TaskData,
  { on, threads }: Pick<GatedRuntime, 'on' | 'threads'>,
  { model, graph }: MeasuredFile,
  network: Graph,
): Promise<Layers> {
  run.emit({ type: 'log', level: 'info', message: `looking which layers take the time on ${on}` });
  const answered = shippedCalls(data, data.dataset.splits.test, graph, 1, CALLS);
  const { profile = [] } = await runOn(
    on,
    {
      model,
      threads,
      seconds: 0,
      one: [],
      many: [],
      answered,
      outputs: answersOf(graph),
      untimed: true,
      profiled: true,
    },
    { mostSeconds: MOST_SECONDS, signal: run.options.signal },
  );
  return layerTimes(network, profile)
    .slice(0, NAMED_LAYERS)
    .map(({ layer, share }) => ({ layer, cost: share }));
}

/** The layers whose weights are largest, in bytes; weights that several layers read count for the first of them. */
export function heaviestLayers(graph: Graph): Layers {
  const counted = new Set<unknown>();
  return graph.nodes
    .map((node) => {
      let cost = 0;
      for (const value of usedValues(node)) {
        const content = graph.initializers.get(value);
        if (!content || counted.has(value)) continue;
        counted.add(value);
        cost += Array.isArray(content.data) ? 0 : (content.data as Float32Array).byteLength;
      }
      return { layer: node.name, cost };
    })
    .filter(({ cost }) => cost > 0)
    .sort((a, b) => b.cost - a.cost)
    .slice(0, NAMED_LAYERS);
}
