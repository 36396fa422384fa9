import { expect, it } from 'vitest';
import type { ReportData } from '../../report-data.ts';
import { syntheticReport } from '../../testing/synthetic-report.ts';
import { weightsSection } from './weights.ts';

function withWeights(more: object): ReportData {
  const data = syntheticReport();
  const student = data.curves.student.map((point, i) => ({
    ...point,
    weights: { kd: 0.9 + 0.01 * i, labels: 0.1 },
    ...more,
  }));
  return { ...data, curves: { ...data.curves, student } };
}

it('is left out where the weights never changed', () => {
  expect(weightsSection(syntheticReport())).toBeNull();
});

it('shows weights alone where nothing is told of their causes', () => {
  const page = weightsSection(withWeights({}))?.markup ?? '';
  expect(page).toContain('Weight by term');
  expect(page).not.toContain('The causes');
  expect(page).not.toContain('<table');
});

it('shows the three causes and what was learnt', () => {
  const more = {
    causes: { complexity: 0.4, divergence: 0.2, 'effect/kd': 0.6 },
    coefficients: { 'alpha/kd': 1.256, 'beta/kd': -0.5, 'gamma/kd': 0 },
  };
  const page = weightsSection(withWeights(more))?.markup ?? '';
  for (const name of ['complexity', 'divergence', 'effect/kd']) expect(page).toContain(`<bdi>${name}</bdi>`);
  expect(page).toMatch(/<bdi>kd<\/bdi><\/th><td class="end">1.26<\/td><td class="end">\u22120.50<\/td>/);
});
