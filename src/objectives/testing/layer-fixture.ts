import { readFileSync } from 'node:fs';
import { gradients } from '../../autodiff/gradients.ts';
import { stopGradient } from '../../autodiff/stop-gradient.ts';
import { checkGradients } from '../../autodiff/testing/check-gradients.ts';
import { loadGraph } from '../../autodiff/testing/run-graph.ts';
import type { ModelLayer } from '../../onnx/anatomy/anatomy.ts';
import type { LayerMap } from '../../onnx/anatomy/layer-map.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, int64, type Tensor } from '../../onnx/tensor.ts';
import type { TeacherGraph } from '../../teachers/knowledge-request.ts';
import { allObjectives } from '../index.ts';
import { meanLoss, type ObjectiveContext, type ObjectiveKind } from '../objective.ts';

interface Numbers {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

type Named<T> = Readonly<Record<string, T>>;

/** What a loss was given, and what it is: written by scripts/objective-fixtures/layers.py, which uses PyTorch. */
export interface LayerFixture {
  readonly objective: string;
  readonly options: Named<unknown>;
  readonly layers: { readonly student: readonly ModelLayer[]; readonly teacher: readonly ModelLayer[] };
  readonly pairs: LayerMap;
  /** Values that a gradient flows to. */
  readonly student: Named<Numbers>;
  readonly teacher: Named<Numbers>;
  readonly parameters: Named<Numbers>;
  /** 1 for a token: [batch, sequence]. */
  readonly mask: readonly (readonly number[])[];
  /** 1 for a sample, 0 for a row that only fills the batch. */
  readonly rows: readonly number[];
  readonly loss: number;
  /** Of the student's values and the parameters. */
  readonly gradients: Named<readonly number[]>;
}

const FIXTURES = JSON.parse(
  readFileSync(new URL('layer-fixtures.json', import.meta.url), 'utf8'),
) as LayerFixture[];

/** The fixtures of a loss, each with a title for tests. */
export function layerFixtures(objective: string): [title: string, fixture: LayerFixture][] {
  const found = FIXTURES.filter((fixture) => fixture.objective === objective);
  const sizes = (values: Named<Numbers>) => Object.values(values)[0]?.dims.join('x');
  return found.map((fixture) => [
    `${JSON.stringify(fixture.options)} ${sizes(fixture.student)} to ${sizes(fixture.teacher)}`,
    fixture,
  ]);
}

/** A registered loss, by its name. */
export function objectiveNamed(name: string): ObjectiveKind {
  const found = allObjectives().find(({ kind }) => kind === name);
  if (!found) throw new Error(`no loss is registered as ${name}`);
  return found;
}

/** The loss of a fixture, and its gradients as the fixture has them. */
export async function runFixture(
  fixture: LayerFixture,
  change: { rows?: readonly number[]; mask?: readonly (readonly number[])[] } = {},
): Promise<{ loss: number; gradients: Record<string, number[]> }> {
  const g = new GraphBuilder();
  const leaves = { ...fixture.student, ...fixture.parameters };
  const values = Object.entries(leaves).map(
    ([name, { dims }]) => [name, g.input(name, 'float32', dims)] as const,
  );
  const loss = buildLoss(g, { ...fixture, ...change }, new Map(values));
  g.output(loss, 'loss');
  gradients(
    g,
    loss,
    values.map(([, value]) => value),
  ).forEach((gradient, i) => {
    if (gradient) g.output(gradient, `gradient ${values[i]![0]}`);
  });
  const run = await loadGraph(g.build());
  const results = await run(
    Object.fromEntries(Object.entries(leaves).map(([name, at]) => [name, tensorOf(at)])),
  );
  const found = values.map(([name]) => [
    name,
    Array.from((results[`gradient ${name}`]?.data ?? []) as Float32Array),
  ]);
  return { loss: Number(results.loss?.data[0]), gradients: Object.fromEntries(found) };
}

/**
 * Compares a fixture's gradients, and those of its gradients, with finite differences; `enter` leads from what is moved to
 * the student's values (scores to distributions).
 */
export async function checkFixture(
  fixture: LayerFixture,
  enter: (g: GraphBuilder, value: TypedValue) => TypedValue = (_, value) => value,
): Promise<void> {
  const leaves = Object.entries({ ...fixture.student, ...fixture.parameters });
  await checkGradients({
    type: 'float32',
    inputs: leaves.map(([, { dims, data }]) => ({ shape: dims, draw: (_, i) => data[i]! })),
    build(g, inputs) {
      const values = leaves.map(([name], i) => {
        const value = inputs[i] as TypedValue;
        return [name, name in fixture.student ? enter(g, value) : value] as const;
      });
      return buildLoss(g, fixture, new Map(values));
    },
  });
}

/** A loss over values of both sides; what it asks of the teacher's graph is computed beside it. */
function buildLoss(
  g: GraphBuilder,
  fixture: LayerFixture,
  values: ReadonlyMap<string, TypedValue>,
): TypedValue {
  const kind = objectiveNamed(fixture.objective);
  const options = kind.options.parse({ weight: 1, ...fixture.options });
  const context: ObjectiveContext = {
    classes: 0,
    models: {
      student: { family: 'other', layers: fixture.layers.student },
      teacher: { family: 'other', layers: fixture.layers.teacher },
      layers: fixture.pairs,
    },
  };
  const mask = g.constant(int64(fixture.mask.flat(), [fixture.mask.length, fixture.mask[0]!.length]));
  const named = (among: ReadonlyMap<string, TypedValue>, name: string) => {
    const value = name === 'attention_mask' ? mask : among.get(name);
    if (!value) throw new Error(`the fixture has no ${name}`);
    return value;
  };
  const has = (among: ReadonlyMap<string, TypedValue>, name: string) =>
    name === 'attention_mask' || among.has(name);
  const teacher = new Map(
    Object.entries(fixture.teacher).map(([name, content]) => [name, g.constant(tensorOf(content))]),
  );
  const requests = kind.knowledge?.(options, context) ?? [];
  const none = () => {
    throw new Error('the loss asks for something that a fixture does not have');
  };
  const rowWeights = g.constant(float32([...fixture.rows]));
  const loss = kind.term(options, context).build(g, {
    student: (name) => named(values, name),
    has: (name) => has(values, name),
    knowledge(tap, dims) {
      const request = requests.find((one) => one.tap === tap);
      if (!request) throw new Error(`${tap} was not asked of the teacher`);
      // These losses take values as they are, no gradients.
      const graph = {
        has: (name: string) => has(teacher, name),
        value: (name: string) => named(teacher, name),
      };
      const value = request.build(g, graph as TeacherGraph);
      const tokens = fixture.mask[0]!.length;
      const wanted = [fixture.rows.length, ...dims.map((dim) => (dim === 'sequence' ? tokens : dim))];
      if (value.shape.join() !== wanted.join())
        throw new Error(`${tap} is [${value.shape}], not [${wanted}]`);
      return stopGradient(g, value);
    },
    parameter(name, dims) {
      const value = named(values, name);
      if (value.shape.join() !== dims.join()) throw new Error(`${name} is [${value.shape}], not [${dims}]`);
      return value;
    },
    rowWeights: () => rowWeights,
    rerun: none,
    labels: none,
    input(name) {
      if (name !== 'row_weights') return none();
      return rowWeights;
    },
  });
  return meanLoss(g, loss);
}

function tensorOf({ dims, data }: Numbers): Tensor {
  return float32([...data], [...dims]);
}
