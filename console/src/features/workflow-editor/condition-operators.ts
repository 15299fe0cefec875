/** How a selector compares, by the numbers of canvases. A unary one looks at the left side only. */
export const operators = [
  { code: 1, name: 'equal', isUnary: false },
  { code: 2, name: 'unequal', isUnary: false },
  { code: 7, name: 'contains', isUnary: false },
  { code: 8, name: 'contains_not', isUnary: false },
  { code: 9, name: 'empty', isUnary: true },
  { code: 10, name: 'filled', isUnary: true },
  { code: 11, name: 'is_true', isUnary: true },
  { code: 12, name: 'is_false', isUnary: true },
  { code: 13, name: 'greater', isUnary: false },
  { code: 14, name: 'greater_equal', isUnary: false },
  { code: 15, name: 'less', isUnary: false },
  { code: 16, name: 'less_equal', isUnary: false },
  { code: 3, name: 'longer', isUnary: false },
  { code: 4, name: 'longer_equal', isUnary: false },
  { code: 5, name: 'shorter', isUnary: false },
  { code: 6, name: 'shorter_equal', isUnary: false },
] as const
