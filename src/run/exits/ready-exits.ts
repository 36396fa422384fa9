import { chosenPolicy, exitPolicies } from '../../compress/exits/choose-thresholds.ts';
import { type ExitPart, exitParts } from '../../compress/exits/exit-parts.ts';
import { type Exits, exitsOf, withoutExits } from '../../compress/exits/kept-exits.ts';
import { withConditions } from '../../compress/exits/with-conditions.ts';
import { LimbeckError } from '../../errors.ts';
import { EXITS_FILE, type ExitsManifest, type PartOfExits } from '../../export/exits-manifest.ts';
import { jsonFile, type PackageAddition } from '../../export/package-folder.ts';
import {
  type ByPrecision,
  type FurtherPrecision,
  fileOf,
  PRECISIONS,
  type Precision,
} from '../../export/precisions.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { percent } from '../../percent.ts';
import { mkdirSync } from '../../platform/files.ts';
import type { Head } from '../../targets/head.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { exitAnswers, exitCosts } from './exit-answers.ts';
import type { ExitForm, ShippedExits } from './shipped-exits.ts';

/** The folder in a run for the network with all of its exits, as it is before it is cut at them. */
export const EXITS_FOLDER = 'exits';

/** A student with exits in the forms in which it ships. */
export interface ReadyExits {
  readonly shipped: ShippedExits;
  readonly model: Graph;
  readonly quantized: Graph | null;
  readonly further: ByPrecision<Graph>;
  /** Its parts, for batches. */
  readonly addition: PackageAddition;
}

/** A network with exits in all precisions in which it ships. */
export interface ExitNetworks {
  readonly model: Graph;
  readonly quantized: Graph | null;
  readonly further: ByPrecision<Graph>;
}

/**
 * Chooses thresholds for a network with exits on the validation split, for each precision its own, and makes of it what
 * ships: one graph in which samples leave early, and parts. Undefined for a network without exits.
 *
 * @throws LimbeckError `compress.invalid` where no validation sample has a label
 */
export async function readyExits(
  run: RunContext,
  data: TaskData,
  { model, quantized, further }: ExitNetworks,
): Promise<ReadyExits | undefined> {
  const exits = exitsOf(model);
  if (!exits) return undefined;
  const { folder } = run;
  const costs = exitCosts(model);
  mkdirSync(folder.file(EXITS_FOLDER), { recursive: true });
  const inFolder = (name: string) => folder.file(EXITS_FOLDER, name);
  const ready = async (graph: Graph, name: string) => {
    writeModelFile(inFolder(name), graph);
    return { file: inFolder(name), ...(await chosenExits(run, data, graph, { exits, costs })) };
  };
  const form = await ready(model, 'model.onnx');
  const quantizedForm = quantized && (await ready(quantized, 'model_quantized.onnx'));
  const furtherForms: Partial<Record<FurtherPrecision, ExitForm>> = {};
  const furtherGraphs: Partial<Record<FurtherPrecision, Graph>> = {};
  for (const [precision, graph] of Object.entries(further) as [FurtherPrecision, Graph][]) {
    const own = await ready(graph, `model${PRECISIONS[precision].suffix}.onnx`);
    furtherForms[precision] = own;
    furtherGraphs[precision] = withConditions(graph, own.policy.thresholds);
  }
  const last = inFolder('last.onnx');
  writeModelFile(last, removeDeadNodes(withoutExits(model)));
  if (form.policy.shares.at(-1) === 1) {
    run.warn(
      `no sample leaves the student early: every threshold costs more than ${percent(exits.maxDrop, 2)} of the ${data.dataset.splits.validation.size} validation ${data.task.unit} (compress: exits, maxDrop)`,
    );
  }
  return {
    shipped: {
      exits,
      costs,
      last,
      model: form,
      ...(quantizedForm && { quantized: quantizedForm }),
      further: furtherForms,
    },
    model: withConditions(model, form.policy.thresholds),
    quantized: quantized && quantizedForm && withConditions(quantized, quantizedForm.policy.thresholds),
    further: furtherGraphs,
    addition: exits.parts
      ? partsOf(exits, [
          { precision: 'f32', graph: model, form },
          ...(quantized && quantizedForm
            ? [{ precision: 'int8', graph: quantized, form: quantizedForm } as const]
            : []),
          ...(Object.entries(further) as [FurtherPrecision, Graph][]).map(([precision, graph]) => ({
            precision,
            graph,
            form: furtherForms[precision] as ExitForm,
          })),
        ])
      : { models: {}, files: [] },
  };
}

/**
 * Chooses thresholds for a network with exits on the validation split.
 *
 * @param costs as `exitCosts` gives them, of the network in float32
 * @throws LimbeckError `compress.invalid` where no validation sample has a label
 */
export async function chosenExits(
  run: RunContext,
  data: TaskData,
  graph: Graph,
  { exits, costs }: { readonly exits: Exits; readonly costs: readonly number[] },
): Promise<Pick<ExitForm, 'policies' | 'policy'>> {
  const [head] = data.heads as [Head];
  const answers = await exitAnswers(run, graph, { split: data.dataset.splits.validation, head, costs });
  if (answers.labels.length === 0) {
    throw new LimbeckError('compress.invalid', 'no validation sample has a label: exits have no thresholds', {
      where: 'compress, kind exits',
      remedy:
        'Give the validation split samples with labels (data.splits.validation), or leave the exits out.',
    });
  }
  const policies = exitPolicies(answers);
  return { policies, policy: chosenPolicy(policies, exits.maxDrop) };
}

/** The parts of a network in each of its precisions. */
export function partsOf(
  { confidence, output }: Exits,
  forms: readonly {
    readonly precision: Precision;
    readonly graph: Graph;
    readonly form: Pick<ExitForm, 'policy'>;
  }[],
): PackageAddition {
  const models: Record<string, Graph> = {};
  const told = ({ precision, graph, form }: (typeof forms)[number]): PartOfExits[] =>
    exitParts(graph).map(({ graph: part, takes, gives, layer }: ExitPart, i) => {
      const file = `onnx/exits/part_${i + 1}${PRECISIONS[precision].suffix}.onnx`;
      models[file] = part;
      const threshold = form.policy.thresholds[i] ?? null;
      return { file, ...(layer !== undefined && { layer }), threshold, takes: [...takes], gives: [...gives] };
    });
  const manifest: ExitsManifest = {
    version: 1,
    confidence,
    output,
    forms: Object.fromEntries(forms.map((one) => [fileOf(one.precision), told(one)])),
  };
  return { models, files: [jsonFile(EXITS_FILE, manifest)] };
}
