import type { Precision } from '../../export/precisions.ts';
import { gatedRuntimes } from '../../recipe/gate.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { TrainResult } from '../../report/result.ts';
import { BOUND_KINDS } from '../../runtimes/bounds.ts';

/**
 * Whether a result was measured against the bounds that the recipe has now (`export.gate`): they may be changed after a run, which
 * then measures anew.
 */
export function sameBounds(
  recipe: Pick<Recipe, 'export'>,
  result: Pick<TrainResult, 'runtimeGates' | 'gate' | 'further'>,
): boolean {
  const measured = new Map((result.runtimeGates ?? []).map((gate) => [gate.on, gate]));
  const wanted = gatedRuntimes(recipe);
  if ([...measured.keys()].some((on) => !wanted.some((runtime) => runtime.on === on))) return false;
  return wanted.every(({ on, file, threads, bounds }) => {
    const gate = measured.get(on);
    // Those of a file that was kept back are not measured.
    if (!gate) return isKeptBack(result, file);
    if (gate.file !== file || gate.threads !== threads) return false;
    if (gate.problem !== undefined) return true;
    return BOUND_KINDS.every(
      (kind) => gate.bounds.find((bound) => bound.kind === kind)?.allowed === bounds[kind],
    );
  });
}

function isKeptBack({ gate, further = [] }: Pick<TrainResult, 'gate' | 'further'>, file: Precision): boolean {
  const own = file === 'int8' ? gate : further.find(({ precision }) => precision === file)?.gate;
  return own?.passed === false;
}
