import type { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { nearestNames } from '../nearest.ts';
import { allObjectives, type ObjectiveInput } from '../objectives/index.ts';
import { type ObjectiveKind, type ObjectiveTerm, termWeight } from '../objectives/objective.ts';
import { MAIN_OUTPUT } from '../objectives/output-names.ts';
import { looksInside } from '../objectives/progressive.ts';
import type { Graph } from '../onnx/graph.ts';
import { fromRegistries } from '../registry.ts';
import { kindOptions } from './kind-options.ts';
import { describeTensors } from './model-inputs.ts';

/** A loss with its options, as a person gives them: `{ kind: 'kd', temperature: 4 }`. */
export type ModelObjectiveOptions = ObjectiveInput;

/** The losses that a model alone can be trained by: those over answers, which ask for no layers of a pair of models. */
const compiled = fromRegistries((): readonly ObjectiveKind[] =>
  allObjectives()
    .filter((kind) => !looksInside(kind) && !kind.adversarial)
    .map((kind) => ({ ...kind, options: withDefaults(kind) })),
);

/** A term of the loss with the options that it was made from. */
export interface NamedTerm {
  readonly term: ObjectiveTerm;
  readonly kind: string;
  readonly given: Readonly<Record<string, unknown>>;
}

/**
 * The terms of a loss on a model.
 *
 * @param output the output that objectives look at when they name none
 * @throws LimbeckError `compile.option`, `compile.no-such-output`
 */
export function modelTerms(
  graph: Graph,
  objectives: readonly ModelObjectiveOptions[],
  output: string | undefined,
): NamedTerm[] {
  if (objectives.length === 0) {
    throw new LimbeckError('compile.option', 'a training step needs an objective', {
      where: 'objective',
      remedy: `Name one of ${compiled()
        .map(({ kind }) => kind)
        .join(', ')}.`,
    });
  }
  const checked = objectives.map((given) => kindOptions('objective', compiled(), given));
  const named = new Set<string>();
  return checked.map(({ entry, options }) => {
    const said = (options.outputs as readonly string[] | undefined) ?? options.output;
    const mainOutput =
      said === undefined || output ? mainOutputOf(graph, output) : (usualOutput(graph) ?? '');
    for (const name of [said ?? mainOutput].flat() as string[])
      requireValue(graph, name, `objective ${entry.kind}`);
    const term = entry.term(options as never, { classes: 0, mainOutput });
    if (named.has(term.name)) {
      throw new LimbeckError('compile.option', `the objective ${term.name} is there twice`, {
        where: `objective ${entry.kind}`,
        remedy: 'Leave one out, or name another output for it.',
      });
    }
    named.add(term.name);
    return { term, kind: entry.kind, given: options };
  });
}

/** What is named is weighed, and nothing decides temperatures or the like. */
function withDefaults({ options, compiled = {} }: ObjectiveKind): ObjectiveKind['options'] {
  const changed = Object.entries(compiled).map(([name, value]) => {
    const option = (options.shape as unknown as Record<string, z.ZodType>)[name] as z.ZodType;
    return [name, option.default(value)] as const;
  });
  return options.safeExtend({ weight: termWeight(1), ...Object.fromEntries(changed) });
}

/** `logits`, or the only output. */
function usualOutput({ outputs }: Graph): string | undefined {
  if (outputs.some(({ name }) => name === MAIN_OUTPUT)) return MAIN_OUTPUT;
  return outputs.length === 1 ? outputs[0]?.name : undefined;
}

function mainOutputOf(graph: Graph, wanted: string | undefined): string {
  if (wanted !== undefined) {
    requireValue(graph, wanted, 'logits');
    return wanted;
  }
  const usual = usualOutput(graph);
  if (usual !== undefined) return usual;
  throw new LimbeckError('compile.no-such-output', "the model has several outputs, none called 'logits'", {
    where: `its outputs: ${describeTensors(graph.outputs)}`,
    remedy: 'Say which one the objectives look at (--logits NAME).',
  });
}

function requireValue(graph: Graph, name: string, where: string): void {
  const outputs = graph.outputs.map((value) => value.name);
  const names = [
    ...outputs,
    ...graph.nodes.flatMap((node) => node.outputs.map((value) => value?.name ?? '')),
  ];
  if (names.includes(name)) return;
  throw new LimbeckError('compile.no-such-output', `the model computes no value '${name}'`, {
    where: `${where}; its outputs: ${describeTensors(graph.outputs)}`,
    remedy: `Did you mean ${nearestNames(name, names)}?`,
  });
}
