'use strict';

const assert = require('node:assert');
const test = require('node:test');

const { greeting } = require('../src/index.js');

test('it greets', () => {
  assert.strictEqual(greeting('you'), 'Hello, you!');
});
