import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GRADIENT_RULES } from '../src/autodiff/rules/registry.ts';
import { GRADIENT_CASES } from '../src/autodiff/testing/gradient-cases/all.ts';
import { DECOMPOSITIONS } from '../src/onnx/decompose/decompose.ts';
import { inferredOperators } from '../src/onnx/shape-inference/rules.ts';

/**
 * The operator set in which each standard operator appeared: `min(s.since_version)` over
 * `onnx.defs.get_all_schemas_with_history()` of the Python package onnx 1.23.
 */
const SINCE = JSON.parse(readFileSync(join(import.meta.dirname, 'operator-versions.json'), 'utf8')) as Record<
  string,
  number
>;

/** The table of docs/operators.md: every operator of which anything is known here. */
export function operatorTable(): string {
  const casesOf = (name: string) => GRADIENT_CASES.filter(([operator]) => operator === name);
  const names = new Set([...inferredOperators(), ...GRADIENT_RULES.keys(), ...DECOMPOSITIONS.keys()]);
  const byDomain = (name: string) => (name.includes('::') ? 1 : 0);
  const rows = [...names]
    .sort((a, b) => byDomain(a) - byDomain(b) || a.localeCompare(b))
    .map((name) => {
      const forms = casesOf(name);
      const rule = GRADIENT_RULES.has(name);
      const second = forms.filter(([, , { order }]) => order !== 1).length;
      const gradient = rule ? 'rule' : DECOMPOSITIONS.has(name) ? 'taken apart' : 'none';
      const tested = rule ? `${forms.length} cases` : gradient === 'none' ? '' : 'decompose.test.ts';
      const twice = rule
        ? second === 0
          ? 'not checked'
          : `${second} of ${forms.length} cases`
        : gradient === 'none'
          ? ''
          : "its parts'";
      return `| \`${name}\` | ${SINCE[name] ?? ''} | ${gradient} | ${twice} | ${tested} |`;
    });
  return [
    '| operator | since opset | gradient | second gradient | test |',
    '| --- | ---: | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const BEGIN = '<!-- operators:begin -->';
const END = '<!-- operators:end -->';

/** A document with the table between its marks. */
export function withOperatorTable(document: string): string {
  const [before, after] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (before < 0 || after < 0) throw new Error(`the document has no ${BEGIN} and ${END}`);
  return `${document.slice(0, before + BEGIN.length)}\n${operatorTable()}\n${document.slice(after)}`;
}
