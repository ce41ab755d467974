'use strict';

function greeting(name) {
  return `Hello, ${name}!`;
}

if (require.main === module) {
  console.log(greeting('{{name}}'));
}

module.exports = { greeting };
