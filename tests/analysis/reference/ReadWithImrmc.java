import java.util.Locale;
import mrmc.core.DBRecord;
import mrmc.core.InputFile;
import mrmc.core.MRMC;
import mrmc.gui.GUInterface;

/** Reads an .imrmc file with iMRMC's own classes and compares two modalities, without a window. */
public class ReadWithImrmc {
    public static void main(String[] arguments) throws Exception {
        Locale.setDefault(Locale.US);
        MRMC.commandStart = true;
        GUInterface.selectedInput = GUInterface.DescInputModeImrmc;
        InputFile file = new InputFile();
        file.filePathAndName = arguments[0];
        file.ReadInputFile(null);
        DBRecord record = new DBRecord();
        record.modalityA = arguments[1];
        record.modalityB = arguments[2];
        record.selectedMod = 3;
        record.DBRecordStatFill(file, record);
        System.out.println("RESULT " + file.Nreader + " " + file.Nnormal + " " + file.Ndisease
            + " " + record.AUCsReaderAvg[0] + " " + record.AUCsReaderAvg[1]
            + " " + Math.sqrt(record.totalVar));
    }
}
