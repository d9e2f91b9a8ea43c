using System.Text;
using Spectre.Console;

namespace NormInterop.Samples.Digits;

/// <summary>Where a demo writes to.</summary>
internal static class DemoConsole
{
    private const int MaximalWidth = 100;

    /// <summary>A console of at most 100 columns.</summary>
    /// <param name="plain">Text alone, as a file or a pipe gets it, whatever the output seems to be.</param>
    public static IAnsiConsole Create(bool plain = false)
    {
        try
        {
            // For the block characters; Windows consoles start in a code page that lacks them.
            Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        }
        catch (IOException)
        {
            // A console that keeps its encoding gets plain characters.
        }

        // A file or a pipe gets text alone. Spectre.Console judges by the terminal's name, which a pipe inherits.
        plain |= Console.IsOutputRedirected;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect });
        int width = console.Profile.Out.IsTerminal && !plain ? console.Profile.Width : MaximalWidth;
        console.Profile.Width = Math.Min(width, MaximalWidth);
        return console;
    }
}
