"""How values look on the screen."""

from infra.cli.screen import grid, out


def test_values_are_printed_for_a_person_and_outside_text_is_no_markup() -> None:
    with out.capture() as printed:
        out.print(grid("", ("a", "b", "c", "d", "e"), [(1234567, 90.00598, True, None, "[red]x[/]")]))

    assert printed.get().split()[-5:] == ["1,234,567", "90.0", "yes", "-", "[red]x[/]"]
