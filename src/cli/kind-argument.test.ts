import { describe, expect, test } from 'vitest';
import { parseKindArgument } from './kind-argument.ts';

describe('parseKindArgument', () => {
  test.each([
    ['labels', { kind: 'labels' }],
    ['kd:temperature=4,weight=0.9', { kind: 'kd', temperature: 4, weight: 0.9 }],
    ['sgd:nesterov=true', { kind: 'sgd', nesterov: true }],
    ['output:loss', { kind: 'output', output: 'loss' }],
    ['output:/loss:0,weight=2', { kind: 'output', output: '/loss:0', weight: 2 }],
    ['labels:output=1234', { kind: 'labels', output: '1234' }],
    ['labels:output=a+b', { kind: 'labels', output: 'a+b' }],
    ['infoNce:outputs=text+image,weight=1e+1', { kind: 'infoNce', outputs: ['text', 'image'], weight: 10 }],
    ['mlkd:temperatures=2+4', { kind: 'mlkd', temperatures: [2, 4] }],
  ])('reads %s', (text, expected) => {
    expect(parseKindArgument(text, 'output')).toEqual(expected);
  });

  test.each(['', ':weight=1', 'kd:', 'kd:weight=1,temperature', 'kd:=2'])('refuses %j', (text) => {
    expect(() => parseKindArgument(text, 'output')).toThrow('Expected');
  });

  test('takes no word alone where nothing is named by one', () => {
    expect(() => parseKindArgument('sgd:fast')).toThrow("not 'fast'");
  });
});
