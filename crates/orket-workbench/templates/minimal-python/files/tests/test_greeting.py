"""What the package does."""

import unittest

from {{snake}} import greeting


class GreetingTest(unittest.TestCase):
    """The greeting."""

    def test_it_greets(self) -> None:
        """It names who is greeted."""
        self.assertEqual(greeting("you"), "Hello, you!")
