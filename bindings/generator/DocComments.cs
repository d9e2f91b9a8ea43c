using System.Security;
using CppSharp.AST;

namespace NormInterop.Bindings.Generator;

/// <summary>
/// Carries the headers' comments over. They are plain text, so the raw text is taken: Clang's own reading of it would
/// treat <c>&lt;</c> and <c>\</c> as markup.
/// </summary>
internal static class DocComments
{
    /// <summary>The lines of an XML documentation comment, without the leading slashes.</summary>
    /// <param name="comment">Comment of a declaration in a header; null where it has none.</param>
    /// <param name="remarks">More lines in XML, put after the text.</param>
    /// <returns>No lines where there is nothing to say.</returns>
    internal static IReadOnlyList<string> Lines(RawComment? comment, params IEnumerable<string> remarks)
    {
        var paragraphs = Paragraphs(comment);
        var lines = new List<string>();
        if (paragraphs is [[var only]])
            lines.Add($"<summary>{only}</summary>");
        else if (paragraphs.Count > 0)
            lines.AddRange(["<summary>", .. Body(paragraphs), "</summary>"]);
        lines.AddRange(remarks);
        return lines;
    }

    private static IEnumerable<string> Body(List<List<string>> paragraphs) =>
        paragraphs is [var single] ? single : paragraphs.SelectMany(p => (IEnumerable<string>)["<para>", .. p, "</para>"]);

    // Paragraphs of escaped lines. An empty comment line ends a paragraph.
    private static List<List<string>> Paragraphs(RawComment? comment)
    {
        var paragraphs = new List<List<string>>();
        if (comment is null || comment.IsOrdinary)
            return paragraphs;

        bool open = false;
        foreach (string line in comment.Text.Split('\n'))
        {
            string text = SecurityElement.Escape(line.Trim().TrimStart('/').TrimStart('<').Trim())
                .Replace("&apos;", "'", StringComparison.Ordinal)
                .Replace("&quot;", "\"", StringComparison.Ordinal);
            if (text.Length > 0 && !open)
                paragraphs.Add([]);
            open = text.Length > 0;
            if (open)
                paragraphs[^1].Add(text);
        }

        return paragraphs;
    }
}
